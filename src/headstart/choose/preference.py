"""Is a head on other stages better than the one on the last stage, and how good is the head taken?

Whoever looks at many stages and takes the best finds one that is ahead by chance. Two corrections:

1. A head counts as better than the one on the last stage only if its mean gain, divided by its standard error, exceeds
   what the largest of all gains that were looked at exceeds by chance in 5% of cases (max-t, see
   `metrics.simultaneous`). Cross-validated gains vary more than their standard errors over items say (`widen`, see
   `evidence.folds`). Right or wrong moves in steps of one item, so one item is taken off the gain (the continuity
   correction of McNemar's test; Edwards 1948). With fewer than `LEAST_UNITS` units nothing is better.
2. The score of the head taken is that of a winner, so it is too high. Units are drawn with replacement, the choice is
   made on those drawn and its score taken on those left out; the mean over draws is the expected score (bootstrap bias
   corrected cross-validation; Tsamardinos, Greasidou and Borboudakis 2018).

Legend: N items, G units, H heads, L probes, C candidates (heads and untried stages).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.simultaneous import bound
from headstart.metrics.spread import standard_errors, unit_numbers, unit_sums

Float = NDArray[np.float64]

LEVEL = 0.05  # probability, one-sided, that any head is preferred to the last stage where none is better
LEAST_UNITS = 5
N_DRAWS = 200


@dataclass(frozen=True)
class Preference:
    """The head taken.

    Attributes:
        index: of the head; 0 is the reference.
        expected: its mean quality, corrected for the choice.
        bound: standard errors by which a gain had to differ from zero.
    """

    index: int
    expected: float
    bound: float


def preferred(
    quality_NH: NDArray[np.floating],
    probed_NL: NDArray[np.floating],
    untried_L: NDArray[np.bool_],
    units: NDArray[Any] | None = None,
    *,
    step: float = 0.0,
    widen: float = 1.0,
    seed: int = 0,
    ties_H: NDArray[np.integer] | None = None,
) -> Preference:
    """Return the head with the highest mean of those that are clearly better than the first, else the first.

    Args:
        quality_NH: of each item under each head that was tried, of shape (N, H); the first is the reference.
        probed_NL: gains of the probes by which the heads to try were picked, over the probe at the stage of the
            reference, of shape (N, L); L may be 0.
        untried_L: the probes at whose stage no head was tried, of shape (L,): other items could have picked them.
        units: of shape (N,): items of one unit are not independent; None: every item is a unit of its own.
        step: by how much the quality of an item moves at least; 0 if it is continuous.
        widen: factor of the standard errors.
        seed: of the draws.
        ties_H: rank of each head where means are equal, the smallest is taken, of shape (H,); None: their order.
    """
    quality_NH = np.asarray(quality_NH, dtype=np.float64)
    gain_NH = quality_NH - quality_NH[:, :1]
    n_items, n_heads = quality_NH.shape
    numbers, n_units = unit_numbers(units, n_items)
    limit = float("inf")
    if n_heads > 1 and n_units >= LEAST_UNITS:
        looks_NL = np.concatenate([gain_NH[:, 1:], probed_NL], axis=1)
        limit = widen * bound(looks_NL, units, level=LEVEL, seed=seed)
    if not np.isfinite(limit):
        return Preference(0, float(quality_NH[:, 0].mean()), limit)
    # an untried stage stands for the head that would have been tried there, with the gain of its probe
    all_NC = np.concatenate([quality_NH, quality_NH[:, :1] + probed_NL[:, untried_L]], axis=1)
    errors_C = standard_errors(all_NC - quality_NH[:, :1], units)
    needed_C = limit * errors_C + step / n_items
    sums_GC, sizes_G = unit_sums(numbers, n_units, all_NC), np.bincount(numbers, minlength=n_units)
    mean_C = all_NC.mean(axis=0)
    ties_C = np.arange(all_NC.shape[1])  # the untried last
    ties_C[:n_heads] = ties_C[:n_heads] if ties_H is None else ties_H
    index = _taken(mean_C[:n_heads], needed_C[:n_heads], ties_C[:n_heads])
    return Preference(index, _left_out(sums_GC, sizes_G, needed_C, ties_C, seed, float(mean_C[index])), limit)


def _taken(mean_C: Float, needed_C: Float, ties_C: NDArray[np.integer]) -> int:
    """Return the head that is taken at these means."""
    better_C = mean_C - mean_C[0] > needed_C
    better_C[0] = True
    return int(np.lexsort((ties_C, -np.where(better_C, mean_C, -np.inf)))[0])


def _left_out(
    sums_GC: Float,
    sizes_G: NDArray[np.integer],
    needed_C: Float,
    ties_C: NDArray[np.integer],
    seed: int,
    otherwise: float,
) -> float:
    """Return the mean score, on the units not drawn, of the head taken on those drawn."""
    n_units = len(sizes_G)
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(N_DRAWS):
        times_G = np.bincount(rng.integers(0, n_units, n_units), minlength=n_units)
        left = times_G == 0
        if left.any():
            taken = _taken(times_G @ sums_GC / (times_G @ sizes_G), needed_C, ties_C)
            scores.append(sums_GC[left, taken].sum() / sizes_G[left].sum())
    return float(np.mean(scores)) if scores else otherwise
