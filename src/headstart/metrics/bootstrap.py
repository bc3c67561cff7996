"""Intervals by bootstrap over whole groups, as matrix products.

A resample draws as many groups as there are, with replacement; an item counts as often as its group was
drawn. Any ratio of sums over items then costs one product (B, G) x (G, K). Efron and Tibshirani
1993, percentile intervals; whole groups, because items of one patient or speaker are not independent.

Legend: B resamples, G groups, N items, K columns of sums.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.interval import Interval

Float = NDArray[np.float64]
N_RESAMPLES = 2000
LEVEL = 0.95


def interval(value: float, resampled: Float, n_groups: int) -> Interval:
    """Return the percentile interval of resampled values; values that are not numbers are left out.

    Args:
        value: the value on the items themselves.
        resampled: of shape (B,).
        n_groups: with fewer than two the interval is unknown.
    """
    if not np.isfinite(value):
        return Interval(None)
    resampled = resampled[np.isfinite(resampled)]
    if n_groups < 2 or len(resampled) == 0:
        return Interval(float(value))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Interval(float(value), float(min(low, value)), float(max(high, value)))


def group_numbers(groups: NDArray[np.object_] | None, n_items: int) -> tuple[NDArray[np.intp], int]:
    """Return the group number of each item and how many groups there are; no groups: each item its own."""
    if groups is None:
        return np.arange(n_items), n_items
    names, numbers = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    return numbers, len(names)


def resample_counts(
    n_groups: int, n_resamples: int = N_RESAMPLES, seed: int = 0, chunk_cells: int = 4_000_000
) -> Iterator[NDArray[np.float32]]:
    """Yield, in chunks of rows, how often each group is drawn in each resample; (B, G) in all.

    The same seed gives the same resamples, so that two results on the same items are paired.
    """
    rng = np.random.default_rng(seed)
    rows = max(1, chunk_cells // max(n_groups, 1))
    for start in range(0, n_resamples, rows):
        n_rows = min(rows, n_resamples - start)
        drawn = rng.integers(0, n_groups, size=(n_rows, n_groups))
        drawn += (np.arange(n_rows) * n_groups)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n_rows * n_groups)
        yield counts.reshape(n_rows, n_groups).astype(np.float32)


def group_sums(numbers: NDArray[np.intp], n_groups: int, values_NK: NDArray[np.floating]) -> Float:
    """Return the sums of the items' values over each group, of shape (G, K)."""
    if len(numbers) == n_groups and np.array_equal(numbers, np.arange(n_groups)):
        return np.asarray(values_NK, dtype=np.float64)
    return np.stack(
        [np.bincount(numbers, weights=column, minlength=n_groups) for column in values_NK.T], axis=1
    )


def standard_error(correct: NDArray[np.floating], groups: NDArray[np.object_] | None = None) -> float:
    """Return the standard error of a mean over items that may be alike within their groups.

    The sandwich form for a ratio of sums: sqrt(sum_g (sum_i in g of (x_i - mean))^2) / N, with the factor
    G / (G - 1).

    Args:
        correct: of shape (N,), 0 or 1, or any values.
        groups: of shape (N,), or None.
    """
    numbers, n_groups = group_numbers(groups, len(correct))
    if n_groups < 2:
        return float("nan")
    residual = np.asarray(correct, dtype=np.float64) - np.mean(correct)
    sums = np.bincount(numbers, weights=residual, minlength=n_groups)
    return float(np.sqrt((sums**2).sum() * n_groups / (n_groups - 1)) / len(residual))
