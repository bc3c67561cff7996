"""Near texts: what all pairs would give, without comparing all pairs."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.data import near_texts
from headstart.data.links import linked_sets
from headstart.data.near_texts import LEAST_CHARACTERS, NEAR, near_sets
from headstart.data.read import read_examples
from headstart.data.text_sketches import comparable, jaccard, shingle_set


def sentences(n_texts: int, n_words: int, seed: int = 0) -> list[str]:
    """Texts of different words."""
    generator = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    vocabulary = ["".join(generator.choice(letters, size)) for size in generator.integers(2, 10, 2_000)]
    return [" ".join(generator.choice(vocabulary, n_words)) for _ in range(n_texts)]


def edited(text: str, n_dropped: int, seed: int) -> str:
    generator = np.random.default_rng(seed)
    own = text.split()
    dropped = set(generator.choice(len(own), n_dropped, replace=False).tolist())
    return " ".join(word for place, word in enumerate(own) if place not in dropped)


def as_lists(sets: list[np.ndarray]) -> list[list[int]]:
    return [members.tolist() for members in sets]


def test_it_agrees_with_all_pairs() -> None:
    made = sentences(150, 30)
    made += [
        edited(made[place], n_dropped, place) for place, n_dropped in enumerate([1, 1, 2, 2, 3, 4, 6, 9] * 5)
    ]
    sets = [shingle_set(text) for text in made]
    similar = {pair: jaccard(sets[pair[0]], sets[pair[1]]) for pair in combinations(range(len(made)), 2)}
    near = [pair for pair, value in similar.items() if value >= NEAR]
    assert 20 < len(near) < 40  # edits on both sides of the threshold
    assert as_lists(near_sets(made)) == as_lists(linked_sets(np.array(near)))


def test_chains_are_followed() -> None:
    first = sentences(1, 40)[0]
    chain = [first]
    for number in range(6):
        chain.append(f"{edited(chain[-1], 3, number)} {sentences(1, 2, seed=number + 9)[0]}")
    assert jaccard(shingle_set(chain[0]), shingle_set(chain[-1])) < NEAR
    assert as_lists(near_sets([*sentences(20, 40, seed=5), *chain])) == [list(range(20, 27))]


def test_short_texts_are_left_alone() -> None:
    short = ["a good movie", "good movie", "a good movie indeed", "a small movie with a big heart"]
    assert near_sets([*short, "a small movie with a big hearts"]) == []
    text = "x".join(sentences(1, 30))[: LEAST_CHARACTERS - 1].strip()
    assert near_sets([text, text[:-1]]) == []
    assert near_sets([]) == [] == near_sets(["one"])


@pytest.mark.parametrize(
    ("one", "other", "is_near"),
    [
        (
            "the best movie of the year by a wide margin",
            "the worst movie of the year by a wide margin",
            False,
        ),
        ("the best movie of the year by a wide margin", "the bast movie of the year by a wide margin", True),
        (
            "the best movie of the year by a wide margin",
            "the very best movie of the year by a wide margin",
            True,
        ),
        ("where were the 1932 Summer Olympics held", "where were the 1936 Summer Olympics held", False),
        (
            "what is the meaning of the name Ella, and who has it",
            "what is the meaning of the name Kay, and who has it",
            False,
        ),
        ("a letter to B about the meaning of it all", "a letter to F about the meaning of it all", False),
        (
            "they recieve the parcel in two days or three",
            "they receive the parcel in two days or three",
            True,
        ),
    ],
)
def test_one_changed_word_makes_another_text(one: str, other: str, is_near: bool) -> None:
    assert len(comparable(one)) >= LEAST_CHARACTERS
    assert jaccard(shingle_set(one), shingle_set(other)) >= NEAR
    assert as_lists(near_sets([one, other])) == ([[0, 1]] if is_near else [])
    long = " ".join(sentences(1, 40))
    assert as_lists(near_sets([f"{one} {long}", f"{other} {long}"])) == [[0, 1]]


def test_scripts_without_spaces() -> None:
    text = "".join(chr(0x4E00 + number * 37 % 3_000) for number in range(80))
    assert as_lists(near_sets([text, "".join(reversed(text)), f"{text[:70]}!{text[71:]}"])) == [[0, 2]]


def test_a_template_takes_no_more_comparisons_than_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    form = (
        "Invoice no. {} for customer {}: goods as ordered in March, payable within thirty days, no deduction"
    )
    filled = [form.format(1_000 + number, word) for number, word in enumerate(sentences(3_000, 1))]
    calls = []

    def counted(one: Any, other: Any) -> float:
        calls.append(1)
        return jaccard(one, other)

    monkeypatch.setattr(near_texts, "jaccard", counted)
    sets = near_sets(filled)
    assert max(map(len, sets)) > 2_900
    assert len(calls) < 4 * len(filled)


@pytest.mark.real
def test_real_texts_are_not_taken_for_near_copies(shared: Path) -> None:
    found = {}
    for name in ("sst2", "gnad10k", "amazon_reviews", "trec"):
        items = [str(item) for item in read_examples(shared / "data" / name).items]
        different = list({comparable(text): text for text in items}.values())
        found[name] = [[different[place] for place in members] for members in near_sets(different)]
    assert found["sst2"] == found["gnad10k"] == []
    assert len(found["amazon_reviews"]) == 3 and len(found["trec"]) == 17
    assert not any("meaning of the name" in text for texts in found["trec"] for text in texts)
