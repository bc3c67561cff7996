"""Near copies of texts, planted in real ones: `python -m benchmarks.near_texts`.

Copies of real texts are edited and put among the texts that they came from. The table says how many of each edit are
linked to their original, by the words of the original, and how many originals are linked to another one although
nothing was planted: these are printed, so that a reader can say which are false. `speed` measures 50,000 texts of
200 words, made of real sentences, on one core.
"""

from __future__ import annotations

import csv
import re
import resource
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.work import SHARED, write_between
from headstart.data.near_texts import near_sets
from headstart.data.text_sketches import comparable, jaccard, shingle_set

SETS = ("amazon_reviews", "gnad10k", "sst2", "trec")
LENGTHS = ((7, 14), (15, 29), (30, 99), (100, 10_000))  # words
N_EDITED = 500  # of each set, at most, by each edit
Edit = Callable[[list[str], np.random.Generator], str]


def _dropped(words: list[str], generator: np.random.Generator, share: float = 0.05) -> str:
    kept = np.ones(len(words), dtype=bool)
    kept[generator.choice(len(words), max(1, int(share * len(words))), replace=False)] = False
    return " ".join(word for word, keep in zip(words, kept, strict=True) if keep)


def _misspelt(words: list[str], generator: np.random.Generator) -> str:
    edited = list(words)
    for place in generator.choice(len(words), max(1, len(words) // 20), replace=False):
        word = edited[place]
        at = int(generator.integers(len(word)))
        edited[place] = word[:at] + "abcdefghijklmnopqrstuvwxyz"[generator.integers(26)] + word[at + 1 :]
    return " ".join(edited)


def _swapped(words: list[str], generator: np.random.Generator) -> str:
    sentences = re.split(r"(?<=[.!?]) ", " ".join(words))
    order = generator.permutation(len(sentences))
    return " ".join(sentences[place] for place in order)


EDITS: dict[str, Edit] = {
    "`RT:` in front": lambda words, _: " ".join(["RT:", *words]),
    "1 in 20 words dropped, at least one": _dropped,
    "3 in 20 words dropped, at least one": lambda words, generator: _dropped(words, generator, 0.15),
    "a typo in 1 of 20 words, at least one": _misspelt,
    "sentences in another order": _swapped,
    "the last tenth cut off": lambda words, _: " ".join(words[: max(1, int(0.9 * len(words)))]),
    "the last quarter cut off": lambda words, _: " ".join(words[: max(1, int(0.75 * len(words)))]),
    "the last half cut off": lambda words, _: " ".join(words[: max(1, len(words) // 2)]),
}


def main() -> None:
    """Measure recall and what else is linked, and write both into the docs."""
    if sys.argv[1:] == ["speed"]:
        return _speed()
    hits = {edit: [[0, 0] for _ in LENGTHS] for edit in EDITS}
    others = []
    for name in SETS:
        texts = _texts(name)
        others.append(f"{len(_linked(texts))} of {len(texts):,} in {name}")
        for edit, change in EDITS.items():
            for place, found in _recovered(texts, change):
                hits[edit][place][0] += found
                hits[edit][place][1] += 1
    heads = " | ".join(f"{low} to {high} words" for low, high in LENGTHS[:-1]) + f" | from {LENGTHS[-1][0]}"
    lines = [f"| copy | {heads} |", "|---|" + "---|" * len(LENGTHS)]
    for edit, counts in hits.items():
        cells = " | ".join(f"{right / max(1, n):.1%} of {n:,}" for right, n in counts)
        lines.append(f"| {edit} | {cells} |")
    table = "\n".join([*lines, "", f"Linked without being planted: {', '.join(others)}."])
    print(table)
    write_between("near-texts", table, "data.md")


def _texts(name: str) -> list[str]:
    """The texts of a set that differ in more than case, punctuation and spaces."""
    with (SHARED / "data" / name / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list({comparable(row["text"]): row["text"] for row in csv.DictReader(file)}.values())


def _linked(texts: Sequence[str]) -> list[np.ndarray]:
    sets = near_sets(texts)
    for members in sets:
        one, other = (texts[place] for place in members[:2])
        similar = jaccard(shingle_set(one), shingle_set(other))
        print(f"{len(members)} texts, the first two {similar:.2f}:\n    {one[:150]}\n    {other[:150]}")
    return sets


def _recovered(texts: Sequence[str], change: Edit) -> list[tuple[int, bool]]:
    """The class of length of each text that was edited, and whether the copy is linked to it."""
    generator = np.random.default_rng(0)
    classes: list[int] = []
    chosen: list[int] = []
    edited: list[str] = []
    for place in generator.permutation(len(texts)):
        words = texts[place].split()
        fits = [number for number, (low, high) in enumerate(LENGTHS) if low <= len(words) <= high]
        if not fits or classes.count(fits[0]) >= N_EDITED:
            continue
        copy = change(words, generator)
        if comparable(copy) != comparable(texts[place]):
            classes.append(fits[0])
            chosen.append(int(place))
            edited.append(copy)
    owners = np.arange(len(texts) + len(edited))
    for members in near_sets([*texts, *edited]):
        owners[members] = members[0]
    found = [owners[place] == owners[len(texts) + number] for number, place in enumerate(chosen)]
    return list(zip(classes, found, strict=True))


def _speed() -> None:
    generator = np.random.default_rng(0)
    whole = " ".join(text for name in SETS for text in _texts(name))
    sentences = re.split(r"(?<=[.!?]) ", whole)
    texts = []
    for _ in range(50_000):
        drawn = [sentences[place] for place in generator.integers(len(sentences), size=40)]
        texts.append(" ".join(" ".join(drawn).split()[:200]))
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    n_sets = len(near_sets(texts))
    seconds = time.process_time() - start
    megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"50,000 texts of 200 words: {seconds:.1f} s, {megabytes:.0f} MB more memory, {n_sets} sets")
    form = "Invoice no. {} for customer {}: goods as ordered in March, payable within thirty days without deduction"
    filled = [form.format(1000 + number, sentences[number][:12]) for number in range(50_000)]
    start = time.process_time()
    sets = near_sets(filled)
    seconds = time.process_time() - start
    print(f"50,000 texts of one form: {seconds:.1f} s, the largest set has {max(map(len, sets)):,}")


if __name__ == "__main__":
    main()
