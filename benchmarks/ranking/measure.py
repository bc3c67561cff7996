"""The truth about every version of every source, and what each score says of it from few and from all items.

The truth is the accuracy, on held-out items, of the head that `headstart fit` chooses on that version alone, from all
items that are learned from. Scores see 10 or 50 of these items per class, or all of them.

Legend: N items, D features.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.ranking.sets import Items, RankingSet, read
from benchmarks.ranking.sources import NAMES, Version, versions
from headstart.choose import ArrayFeatures, choose_head
from headstart.choose.scores import SCORES, Sample
from headstart.tasks import CLASSIFICATION

PER_CLASS = (10, 50)
ALL = "all"
SEEDS = (0, 1)
Row = dict[str, Any]
Draw = tuple[str, int, np.ndarray]


def measure(of: RankingSet) -> list[Row]:
    """Return one row per version of each source of the set's modality."""
    items = read(of)
    draws = _draws(items)
    return [
        {"set": of.name, "family": of.family, "modality": items.modality, **_row(version, items, draws)}
        for version in _versions(items)
    ]


def score_again(of: RankingSet, rows: list[Row], names: Sequence[str]) -> list[Row]:
    """Return the rows of a set with some scores computed again; the truth stays.

    Args:
        of: the set.
        rows: of the set, in the order that `measure` gave.
        names: of the scores.
    """
    items = read(of)
    draws = _draws(items)
    found = []
    for row, version in zip(rows, _versions(items), strict=True):
        assert (row["source"], row["random"]) == (version.source, version.random)
        scores, seconds = _all_scores(version, items, draws, names)
        merged = {n: {**row["scores"].get(n, {}), **scores[n]} for n in scores}
        found.append({**row, "scores": merged, "seconds": {**row["seconds"], **seconds}})
    return found


def _versions(items: Items) -> Iterator[Version]:
    for name in NAMES[items.modality]:
        yield from versions(name, items)


def _draws(items: Items) -> list[Draw]:
    """Return how many items per class, a seed and the rows, the same for every version; the last has all rows."""
    learned = np.flatnonzero(~items.test)
    found = []
    for n in PER_CLASS:
        for seed in SEEDS:
            order = np.random.default_rng(seed).permutation(learned)
            rows = np.concatenate(
                [order[items.labels[order] == label][:n] for label in np.unique(items.labels[learned])]
            )
            if len(rows) < len(learned):
                found.append((str(n), seed, np.sort(rows)))
    return [*found, (ALL, 0, learned)]


def _row(version: Version, items: Items, draws: list[Draw]) -> Row:
    scores, seconds = _all_scores(version, items, draws, tuple(SCORES))
    return {
        "source": version.source,
        "random": version.random,
        "depth": round(version.depth, 3),
        "width": version.vectors.shape[1],
        "parameters": version.n_parameters,
        "truth": round(truth(version, items), 5),
        "scores": scores,
        "seconds": seconds,
    }


def truth(version: Version, items: Items) -> float:
    """Return the held-out accuracy of the head that is chosen on the items that are learned from."""
    x_ND, labels = version.vectors, items.labels.astype(object)
    learn, test = ~items.test, items.test
    groups = None if items.groups is None else items.groups[learn]
    features = ArrayFeatures((version.source,), (x_ND[learn],))
    choice = choose_head(features, labels[learn], groups, n_threads=1, last_only=True)
    return float((choice.head.predict(x_ND[test]) == labels[test]).mean())


def _all_scores(
    version: Version, items: Items, draws: list[Draw], names: Sequence[str]
) -> tuple[dict[str, dict[str, list[float]]], dict[str, float]]:
    """Return the scores that apply, by budget and name with one value per seed, and their seconds on all items.

    The second probe's seconds are those of both.
    """
    scores: dict[str, dict[str, list[float]]] = {}
    seconds: dict[str, float] = {}
    for n, seed, rows in draws:
        sample = _sample(version, items, rows, seed)
        own = scores.setdefault(n, {})
        for name in names:
            if SCORES[name].applies(CLASSIFICATION, has_probabilities=version.probabilities is not None):
                started = time.perf_counter()
                own.setdefault(name, []).append(float(f"{SCORES[name].of(sample):.6g}"))
                seconds[name] = round(time.perf_counter() - started, 4)
    return scores, seconds


def _sample(version: Version, items: Items, rows: np.ndarray, seed: int) -> Sample:
    p_NZ = version.probabilities
    return Sample(
        version.vectors[rows],
        np.unique(items.labels[rows], return_inverse=True)[1],
        CLASSIFICATION,
        None if p_NZ is None else p_NZ[rows],
        None if items.groups is None else items.groups[rows],
        seed,
    )
