"""The metrics of a quantity on held-out items, each with a 95% interval.

rmse, mae (in the unit of the target); r2 (share of the variance explained); spearman (correlation of the ranks,
ties at their mean). Intervals: see `bootstrap`; ranks are computed again in every resample.

Legend: N items, B resamples, G groups.

Example:
    >>> round(value_metrics(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))["mae"].value, 3)
    0.333
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError
from headstart.metrics.bootstrap import (
    N_RESAMPLES,
    Float,
    group_numbers,
    group_sums,
    interval,
    resample_counts,
)
from headstart.metrics.catalogue import in_order
from headstart.metrics.interval import Interval


def value_metrics(
    values: NDArray[Any],
    predicted: NDArray[Any],
    groups: NDArray[np.object_] | None = None,
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return every metric with its interval.

    Args:
        values: the truth, of shape (N,) or (N, 1), N >= 1.
        predicted: of the same shape.
        groups: of shape (N,): whole groups are resampled; None: items.
        n_resamples: bootstrap resamples.
        seed: of the resamples.

    Returns:
        By name; r2 and spearman have value None if all values are equal.
    """
    y, p = checked_values(values, predicted)
    numbers, n_groups = group_numbers(groups, len(y))
    y = y - y.mean()  # no effect on errors and ranks, and sums of squares keep their digits
    p = p - np.asarray(values, dtype=np.float64).mean()
    error = y - p
    columns = np.stack([np.ones(len(y)), np.square(error), np.abs(error), y, np.square(y)], axis=1)
    sums = group_sums(numbers, n_groups, columns)
    truth_ranks, predicted_ranks = _Ranks(y), _Ranks(p)
    values_of = _from_sums(sums.sum(axis=0)[None])
    ones = np.ones((1, len(y)), dtype=np.float32)
    values_of["spearman"] = _correlation(truth_ranks(ones), predicted_ranks(ones), ones)
    parts = []
    for counts in resample_counts(n_groups, n_resamples, seed, chunk_cells=1_000_000):
        part = _from_sums(counts.astype(np.float64) @ sums)
        weights = counts[:, numbers]
        part["spearman"] = _correlation(truth_ranks(weights), predicted_ranks(weights), weights)
        parts.append(part)
    return {
        name: interval(float(values_of[name][0]), np.concatenate([part[name] for part in parts]), n_groups)
        for name in in_order(values_of)
    }


def checked_values(values: NDArray[Any], predicted: NDArray[Any]) -> tuple[Float, Float]:
    """Return truth and predictions as float64 of shape (N,), refused when they do not belong together."""
    y, p = np.asarray(values, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if y.shape != p.shape or y.size == 0 or y.size != len(y):
        raise DataError(
            f"Metrics of a quantity need one value and one prediction per item, got {y.shape} and {p.shape}."
        )
    if not (np.isfinite(y).all() and np.isfinite(p).all()):
        raise DataError("Metrics need finite numbers; some are not.")
    return y.reshape(-1), p.reshape(-1)


def _from_sums(sums: Float) -> dict[str, Float]:
    """Return the metrics of each row of sums, of shape (B, 5)."""
    n_items, squares, absolute, total, total_squares = sums.T
    spread = total_squares - total**2 / n_items
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(spread > 1e-12 * np.maximum(total_squares, 1e-300), 1 - squares / spread, np.nan)
    return {"rmse": np.sqrt(squares / n_items), "mae": absolute / n_items, "r2": r2}


class _Ranks:
    """Mean ranks of weighted items, for many weightings at once."""

    def __init__(self, values: Float) -> None:
        self.order = np.argsort(values, kind="stable")
        rising = values[self.order]
        self.begin = np.searchsorted(rising, rising, side="left")
        self.end = np.searchsorted(rising, rising, side="right")

    def __call__(self, weights_BN: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return twice the mean rank (up to a constant), of shape (B, N), in the items' own order."""
        below = np.zeros((len(weights_BN), weights_BN.shape[1] + 1), dtype=np.float32)
        np.cumsum(weights_BN[:, self.order], axis=1, out=below[:, 1:])
        ranks = np.empty_like(weights_BN)
        ranks[:, self.order] = below[:, self.begin] + below[:, self.end]
        return ranks


def _correlation(
    a_BN: NDArray[np.float32], b_BN: NDArray[np.float32], weights_BN: NDArray[np.float32]
) -> Float:
    """Return the weighted correlation of each pair of rows, of shape (B,); nan where one does not vary."""
    total = weights_BN.sum(axis=1, dtype=np.float64)[:, None]
    a = a_BN - (weights_BN * a_BN).sum(axis=1, dtype=np.float64)[:, None] / total
    b = b_BN - (weights_BN * b_BN).sum(axis=1, dtype=np.float64)[:, None] / total
    both = (weights_BN * a * b).sum(axis=1)
    own = (weights_BN * a * a).sum(axis=1) * (weights_BN * b * b).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(own > 0, both / np.sqrt(own), np.nan))
