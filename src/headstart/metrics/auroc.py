"""Area under the ROC curve, one class against the rest, exact for ties, under resampling.

    area = sum_{i in class, j not} w_i w_j ([s_i > s_j] + [s_i = s_j] / 2) / (W_in W_out)

on scores sorted once per class, by cumulated weights. If resamples x items x classes is large, the
resampled areas are taken to first order from each item's placement (DeLong 1988; Hajek projection): one
matrix product, off by terms of order 1 / n_items. The value itself is always exact.

Legend: N items, C classes, B resamples, G groups.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.bootstrap import Float, resample_counts

EXACT_CELLS = 2_000_000  # resamples x items x classes up to which every resample is ranked exactly


def auroc(
    labels: NDArray[np.integer],
    probabilities: Float,
    numbers: NDArray[np.intp],
    n_groups: int,
    *,
    n_resamples: int,
    seed: int,
) -> tuple[float, Float]:
    """Return the macro area and its resampled values of shape (B,).

    Args:
        labels: of shape (N,).
        probabilities: of shape (N, C).
        numbers: group of each item, of shape (N,).
        n_groups: G.
        n_resamples: B.
        seed: of the resamples; the same as the other metrics'.

    Returns:
        nan and nans where a class is absent or all items have one class; a resample without some class
        averages over the others.
    """
    n_classes = probabilities.shape[1]
    if n_classes < 2 or np.bincount(labels, minlength=n_classes).min() == 0:
        return float("nan"), np.full(n_resamples, np.nan)
    columns = [1] if n_classes == 2 and np.allclose(probabilities.sum(axis=1), 1) else list(range(n_classes))
    sides = [(labels == c, probabilities[:, c]) for c in columns]
    return mean_area(sides, numbers, n_groups, n_resamples=n_resamples, seed=seed)


def mean_area(
    sides: list[tuple[NDArray[np.bool_], Float]],
    numbers: NDArray[np.intp],
    n_groups: int,
    *,
    n_resamples: int,
    seed: int,
) -> tuple[float, Float]:
    """Return the mean area of several rankings of the same items, and its resampled values of shape (B,).

    Args:
        sides: for each ranking, who is inside and the scores, each of shape (N,); both sides must be there.
        numbers: group of each item, of shape (N,).
        n_groups: G.
        n_resamples: B.
        seed: of the resamples.
    """
    n_items = len(numbers)
    placed = [_placements(inside, scores) for inside, scores in sides]
    areas = np.array([area for area, _ in placed])
    draws = resample_counts(n_groups, n_resamples, seed)
    if n_resamples * n_items * len(placed) <= EXACT_CELLS:
        orders = [_ordered(inside, scores) for inside, scores in sides]
        parts = [
            np.stack(
                [_resampled(counts[:, numbers[order]], ins, begin, end) for order, ins, begin, end in orders],
                axis=1,
            )
            for counts in draws
        ]
    else:
        by_class = [(inside, placement) for (inside, _), (_, placement) in zip(sides, placed)]
        first_order = _FirstOrder(by_class, areas, numbers, n_groups)
        parts = [first_order(counts) for counts in draws]
    resampled = np.concatenate(parts)
    seen = np.isfinite(resampled)
    total = np.where(seen, resampled, 0.0).sum(axis=1)
    macro = np.where(seen.any(axis=1), total / np.maximum(seen.sum(axis=1), 1), np.nan)
    return float(areas.mean()), macro


def _placements(inside: NDArray[np.bool_], scores: Float) -> tuple[float, Float]:
    """Return the area, and for each item the share of the other side that it is correctly ranked against, ties half."""
    placement = np.zeros(len(scores))
    sorted_in, sorted_out = np.sort(scores[inside]), np.sort(scores[~inside])
    for one, other in ((inside, sorted_out), (~inside, sorted_in)):
        left = np.searchsorted(other, scores[one], side="left")
        right = np.searchsorted(other, scores[one], side="right")
        placement[one] = (left + right) / (2 * len(other))
    placement[~inside] = 1 - placement[~inside]
    return float(placement[inside].mean()), placement


class _FirstOrder:
    """Resampled areas to first order: mean placement inside + mean placement outside - area."""

    def __init__(
        self,
        by_class: list[tuple[NDArray[np.bool_], Float]],
        areas: Float,
        numbers: NDArray[np.intp],
        n_groups: int,
    ) -> None:
        from scipy.sparse import csr_matrix

        shape = (len(by_class), n_groups)
        members = [np.flatnonzero(inside) for inside, _ in by_class]
        rows = np.repeat(np.arange(len(by_class)), [len(m) for m in members])
        where = (rows, numbers[np.concatenate(members)])
        placed = np.concatenate([p[m] for m, (_, p) in zip(members, by_class)])
        self.n_inside = csr_matrix((np.ones(len(rows)), where), shape=shape)
        self.inside = csr_matrix((placed, where), shape=shape)
        self.outside = np.stack(
            [
                np.bincount(numbers, weights=np.where(inside, 0.0, p), minlength=n_groups).astype(np.float32)
                for inside, p in by_class
            ],
            axis=1,
        )
        self.sizes = np.bincount(numbers, minlength=n_groups).astype(np.float32)
        self.areas = areas

    def __call__(self, counts_BG: NDArray[np.float32]) -> Float:
        """Return the areas of each resample, of shape (B, classes); nan where a side is empty."""
        n_inside = (self.n_inside @ counts_BG.T).T
        n_outside = (counts_BG @ self.sizes).astype(np.float64)[:, None] - n_inside
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = (self.inside @ counts_BG.T).T / n_inside
            outside = (counts_BG @ self.outside).astype(np.float64) / np.where(n_outside > 0.5, n_outside, 0)
        return np.asarray(np.clip(inside + outside - self.areas, 0.0, 1.0))


def _ordered(
    inside: NDArray[np.bool_], scores: Float
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.intp], NDArray[np.intp]]:
    """Return the order of rising scores, who is inside in it, and where each item's ties begin and end."""
    order = np.argsort(scores, kind="stable")
    rising = scores[order]
    begin = np.searchsorted(rising, rising, side="left")
    end = np.searchsorted(rising, rising, side="right")
    return order, inside[order].astype(np.float32), begin, end


def _resampled(
    weights_BN: NDArray[np.float32],
    inside_N: NDArray[np.float32],
    begin_N: NDArray[np.intp],
    end_N: NDArray[np.intp],
) -> Float:
    """Return the weighted area of each row of weights, which are in the order of rising scores."""
    outside = np.zeros((len(weights_BN), weights_BN.shape[1] + 1), dtype=np.float32)
    np.cumsum(weights_BN * (1 - inside_N), axis=1, out=outside[:, 1:])
    positions = np.flatnonzero(inside_N)
    below = outside[:, begin_N[positions]] + outside[:, end_N[positions]]
    weights = weights_BN[:, positions]
    wins = 0.5 * np.einsum("bn,bn->b", weights, below, dtype=np.float64)
    n_in, n_out = weights.sum(axis=1, dtype=np.float64), outside[:, -1].astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(wins / (n_in * n_out))
