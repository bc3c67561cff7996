"""Which of several sources can be told apart, and what the source at each place of their ranking is worth.

All sources are cross-validated on the same items and folds, so they are compared item by item.

1. Two sources are told apart if the mean of their paired differences, divided by its standard error, exceeds what the
   largest of ALL pairs exceeds by chance in 5% of cases (max-t over all pairs, the method of Tukey for correlated
   means; Hothorn, Bretz and Westfall 2008, "Simultaneous inference in general parametric models", sections 3 and 4).
   One error rate holds for all statements together, however many sources there are. Cross-validated differences vary
   more than their standard errors say (`widen`, see `evidence.folds`); one step of an item is taken off a difference,
   as in `choose.preference`. With fewer than `LEAST_UNITS` units nothing is told apart.
2. The first of many looks better than it is, the last looks worse. Units are drawn with replacement, the sources are
   ordered on those drawn and scored on those left out: the mean over draws is what the source at each place is worth
   (a bootstrap of the whole ranking, after Tsamardinos, Greasidou and Borboudakis 2018).

Legend: N items, G units, S sources.

Example:
    >>> rng = np.random.default_rng(0)
    >>> good, same, bad = (rng.random((3, 400)) < np.array([[0.9], [0.9], [0.6]])).astype(float)
    >>> found = place(np.stack([bad, good, same], axis=1))
    >>> found.first.tolist(), found.last.tolist()
    ([3, 1, 1], [3, 2, 2])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import isotonic_regression

from headstart.choose.preference import LEAST_UNITS, N_DRAWS
from headstart.metrics.simultaneous import bound
from headstart.metrics.spread import standard_errors, unit_numbers, unit_sums

Float = NDArray[np.float64]
LEVEL = 0.05  # probability, two-sided, that any two equal sources are told apart


@dataclass(frozen=True, eq=False)
class Places:
    """What the comparison of S sources gives.

    Attributes:
        order: of shape (S,): the sources from the highest mean to the lowest; of equal means the earlier first.
        difference: of shape (S, S): mean quality of the row minus that of the column.
        margin: of shape (S, S): half the width of the simultaneous 95% interval of each difference; nan if nothing
            can be told apart.
        better: of shape (S, S): whether the row is clearly better than the column.
        expected: of shape (S,): mean quality of each source, corrected for the place it was given.
    """

    order: NDArray[np.intp]
    difference: Float
    margin: Float
    better: NDArray[np.bool_]
    expected: Float

    @property
    def first(self) -> NDArray[np.intp]:
        """The best place that each source can have, of shape (S,): 1 + the sources that are clearly better."""
        return np.asarray(1 + self.better.sum(axis=0))

    @property
    def last(self) -> NDArray[np.intp]:
        """The worst place that each source can have, of shape (S,)."""
        return np.asarray(len(self.order) - self.better.sum(axis=1))


def place(
    quality_NS: NDArray[np.floating],
    units: NDArray[Any] | None = None,
    *,
    step: float = 0.0,
    widen: float = 1.0,
    seed: int = 0,
) -> Places:
    """Compare sources on the same items.

    Args:
        quality_NS: cross-validated quality of each item under each source, of shape (N, S).
        units: of shape (N,): items of one unit are not independent; None: every item is a unit of its own.
        step: by how much the quality of an item moves at least; 0 if it is continuous.
        widen: factor of the standard errors.
        seed: of the draws.
    """
    quality_NS = np.asarray(quality_NS, dtype=np.float64)
    n_items, n_sources = quality_NS.shape
    mean_S = quality_NS.mean(axis=0)
    order = np.argsort(-mean_S, kind="stable")
    difference_SS = mean_S[:, None] - mean_S[None, :]
    numbers, n_units = unit_numbers(units, n_items)
    margin_SS = np.full((n_sources, n_sources), np.nan)
    if n_sources > 1 and n_units >= LEAST_UNITS:
        margin_SS = (
            _margins(quality_NS, units, widen, seed, of_shares=step > 0)
            + (1 - np.eye(n_sources)) * step / n_items
        )
    sums_GS = unit_sums(numbers, n_units, quality_NS)
    return Places(
        order=order,
        difference=difference_SS,
        margin=margin_SS,
        better=difference_SS > np.where(np.isnan(margin_SS), np.inf, margin_SS),
        expected=_by_place(sums_GS, np.bincount(numbers, minlength=n_units), mean_S, order, seed),
    )


def _margins(
    quality_NS: NDArray[np.floating], units: NDArray[Any] | None, widen: float, seed: int, *, of_shares: bool
) -> Float:
    """Return half the widths of the simultaneous intervals of all pairs, of shape (S, S)."""
    n_sources = quality_NS.shape[1]
    rows, columns = np.triu_indices(n_sources, k=1)
    pairs_NP = quality_NS[:, rows] - quality_NS[:, columns]
    limit = widen * bound(pairs_NP, units, level=LEVEL, seed=seed, two_sided=True)
    margin_SS = np.zeros((n_sources, n_sources))
    errors_P = standard_errors(pairs_NP, units)
    if of_shares:
        errors_P = np.maximum(errors_P, _least_errors(pairs_NP))
    margin_SS[rows, columns] = limit * errors_P
    return margin_SS + margin_SS.T


def _least_errors(pairs_NP: Float) -> Float:
    """Return the standard errors of differences of shares with half an item added to each cell of their 2 x 2 tables.

    Few items on which two sources differ would else say that they are known to be equal (Agresti and Min 2005).
    """
    n_items = len(pairs_NP) + 2
    differing_P, gain_P = np.abs(pairs_NP).sum(axis=0) + 1, pairs_NP.sum(axis=0)
    return np.asarray(np.sqrt(differing_P - gain_P**2 / n_items) / n_items)


def _by_place(
    sums_GS: Float, sizes_G: NDArray[np.integer], mean_S: Float, order: NDArray[np.intp], seed: int
) -> Float:
    """Return the mean score, on the units not drawn, of whatever source has the place of each on those drawn."""
    n_units = len(sizes_G)
    rng = np.random.default_rng(seed)
    sums_S, n_left = np.zeros(len(mean_S)), 0
    for _ in range(N_DRAWS):
        times_G = np.bincount(rng.integers(0, n_units, n_units), minlength=n_units)
        left = times_G == 0
        drawn = np.argsort(-(times_G @ sums_GS), kind="stable")
        sums_S += sums_GS[left].sum(axis=0)[drawn]
        n_left += int(sizes_G[left].sum())
    expected_S = np.array(mean_S)
    if n_left:  # draws are few: a later place is worth no more than an earlier one
        expected_S[order] = isotonic_regression(sums_S / n_left, increasing=False)
    return expected_S
