"""Area under the ROC curve, one class against the rest, with ties exact, under resampling.

    area = sum_{i in class, j not} w_i w_j ([s_i > s_j] + [s_i = s_j] / 2) / (W_in W_out)

on scores sorted once per class, by cumulated weights. Where resamples x items x classes is large, the
resampled areas are taken to first order from each item's placement (DeLong 1988; Hajek projection): one
matrix product, off by terms of order 1 / n_items. The value itself is always exact.

Legend: N items, C classes, B resamples, G groups.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.evidence.intervals import Float, group_sums, resample_counts

EXACT_CELLS = 2_000_000  # resamples x items x classes up to which every resample is ranked anew


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
    n_items, n_classes = probabilities.shape
    if n_classes < 2 or np.bincount(labels, minlength=n_classes).min() == 0:
        return float("nan"), np.full(n_resamples, np.nan)
    columns = [1] if n_classes == 2 and np.allclose(probabilities.sum(axis=1), 1) else range(n_classes)
    placed = [_placements(labels == c, probabilities[:, c]) for c in columns]
    value = float(np.mean([area for area, _, _ in placed]))
    exact = n_resamples * n_items * len(placed) <= EXACT_CELLS
    orders = [_ordered(labels == c, probabilities[:, c]) for c in columns] if exact else []
    sums = (
        []
        if exact
        else [_placement_sums(labels == c, *placed[k], numbers, n_groups) for k, c in enumerate(columns)]
    )
    out = []
    for counts in resample_counts(n_groups, n_resamples, seed):
        if exact:
            areas = [
                _resampled(counts[:, numbers[order]], inside, begin, end)
                for order, inside, begin, end in orders
            ]
        else:
            areas = [_first_order(counts @ part, placed[k][0]) for k, part in enumerate(sums)]
        stacked = np.stack(areas)
        seen = np.isfinite(stacked)
        total = np.where(seen, stacked, 0.0).sum(axis=0)
        out.append(np.where(seen.any(axis=0), total / np.maximum(seen.sum(axis=0), 1), np.nan))
    return value, np.concatenate(out)


def _placements(inside: NDArray[np.bool_], scores: Float) -> tuple[float, Float, Float]:
    """Return the area, and for each item the share of the other side it is placed above, ties half."""
    above = np.zeros(len(scores))
    for one, other in ((inside, ~inside), (~inside, inside)):
        sorted_other = np.sort(scores[other])
        left = np.searchsorted(sorted_other, scores[one], side="left")
        right = np.searchsorted(sorted_other, scores[one], side="right")
        above[one] = (left + right) / (2 * len(sorted_other))
    placement = np.where(inside, above, 1 - above)
    return float(placement[inside].mean()), placement, above


def _placement_sums(
    inside: NDArray[np.bool_],
    area: float,
    placement: Float,
    above: Float,
    numbers: NDArray[np.intp],
    n_groups: int,
) -> NDArray[np.float32]:
    """Return per group: n inside, their placements, n outside, theirs; of shape (G, 4)."""
    y = inside.astype(np.float64)
    columns = np.stack([y, y * placement, 1 - y, (1 - y) * placement], axis=1)
    return group_sums(numbers, n_groups, columns).astype(np.float32)


def _first_order(sums_B4: NDArray[np.floating], area: float) -> Float:
    """Return resampled areas to first order: mean placement inside + mean placement outside - area."""
    n_in, in_placed, n_out, out_placed = np.asarray(sums_B4, dtype=np.float64).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.clip(in_placed / n_in + out_placed / n_out - area, 0.0, 1.0))


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
