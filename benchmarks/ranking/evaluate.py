"""From the table of measurements to weighted Kendall tau and top-1 regret, of single scores and of combinations.

A combination is chosen on all families of sets but one and judged on that one, in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import weightedtau

from benchmarks.ranking.measure import ALL, PER_CLASS, SEEDS
from headstart.choose.scores.combined import combined

BUDGETS = (*(str(n) for n in PER_CLASS), ALL)
MOST_TOGETHER = 4
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Pool:
    """Versions of sources on a set, scored from a number of items.

    Attributes:
        name: of the set.
        family: of the set.
        budget: items per class.
        truth: of each version, of shape (S,).
        scores: by name, of shape (S,).
    """

    name: str
    family: str
    budget: str
    truth: np.ndarray
    scores: dict[str, np.ndarray]


@dataclass(frozen=True)
class Quality:
    """How well an order agrees with the truth.

    Attributes:
        tau: weighted Kendall tau, from -1 to 1.
        regret: points of accuracy that the first of the order is below the best.
    """

    tau: float
    regret: float


def pools(rows: Iterable[Row], keep: Callable[[Row], bool] = lambda row: True) -> list[Pool]:
    """Return a pool per set, budget and seed, of the rows that are kept; where all items are few, all are taken."""
    by_set: dict[str, list[Row]] = {}
    for row in rows:
        if keep(row):
            by_set.setdefault(row["set"], []).append(row)
    return [
        _pool(versions, budget, seed)
        for versions in by_set.values()
        for budget in BUDGETS
        for seed in SEEDS
        if len(versions) > 2
    ]


def _pool(versions: list[Row], budget: str, seed: int) -> Pool:
    scored = [row["scores"].get(budget, row["scores"][ALL]) for row in versions]
    names = set.intersection(*(set(each) for each in scored))
    scores = {
        name: np.array([each[name][seed % len(each[name])] for each in scored]) for name in sorted(names)
    }
    scores["parameters"] = np.array([float(row["parameters"]) for row in versions])
    first = versions[0]
    return Pool(first["set"], first["family"], budget, np.array([row["truth"] for row in versions]), scores)


def quality(pool: Pool, values: np.ndarray) -> Quality:
    """Return how well values order a pool; of versions that share the first place the mean counts."""
    tau = float(weightedtau(values, pool.truth).statistic) if np.ptp(values) > 0 else 0.0
    first = pool.truth[values >= values.max()].mean()
    return Quality(tau, 100 * float(pool.truth.max() - first))


def mean(found: Sequence[tuple[Pool, Quality]]) -> Quality:
    """Return the mean over families, of the means over the pools of a family."""
    by_family: dict[str, list[Quality]] = {}
    for pool, each in found:
        by_family.setdefault(pool.family, []).append(each)
    means = [
        [np.mean([q.tau for q in part]), np.mean([q.regret for q in part])] for part in by_family.values()
    ]
    tau, regret = np.mean(means, axis=0)
    return Quality(float(tau), float(regret))


def of_score(found: Sequence[Pool], name: str) -> list[tuple[Pool, Quality]]:
    """Return the quality of a single score on each pool."""
    return [(pool, quality(pool, pool.scores[name])) for pool in found]


def of_combination(found: Sequence[Pool], names: Sequence[str]) -> list[tuple[Pool, Quality]]:
    """Return the quality of the mean rank of several scores on each pool."""
    return [(pool, quality(pool, combined(pool.scores, names))) for pool in found]


def left_out(
    found: Sequence[Pool], names: Sequence[str]
) -> tuple[list[tuple[Pool, Quality]], dict[str, tuple[str, ...]]]:
    """Choose the combination with the best mean tau without each family, and judge it on that family.

    Args:
        found: the pools.
        names: of the scores that may be combined.

    Returns:
        The quality on every pool by the combination that has not seen its family, and that combination by family.
    """
    candidates = [each for size in range(1, MOST_TOGETHER + 1) for each in combinations(names, size)]
    every = {each: of_combination(found, each) for each in candidates}
    chosen, judged = {}, []
    for family in dict.fromkeys(pool.family for pool in found):
        best = max(candidates, key=lambda each: mean([q for q in every[each] if q[0].family != family]).tau)
        chosen[family] = best
        judged += [q for q in every[best] if q[0].family == family]
    return judged, chosen
