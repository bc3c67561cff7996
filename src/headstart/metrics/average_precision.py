"""Average precision (the area below precision over recall), with ties exact, under resampling.

    AP = sum_{i positive} w_i T_i / S_i / sum_{i positive} w_i
    T_i = weight of the positives, S_i = weight of all items, with a score of at least that of i

which is scikit-learn's step sum. If resamples x items x labels is large, resampled values are taken to first
order from each item's influence (the derivative of AP in its weight): one matrix product. The value itself is
always exact.

Legend: N items, C labels, B resamples, G groups.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.bootstrap import Float, resample_counts

EXACT_CELLS = 2_000_000  # resamples x items x labels up to which every resample is ranked exactly


def average_precision(
    sides: list[tuple[NDArray[np.bool_], Float]],
    numbers: NDArray[np.intp],
    n_groups: int,
    *,
    n_resamples: int,
    seed: int,
) -> tuple[float, Float]:
    """Return the mean average precision of several rankings, and its resampled values of shape (B,).

    Args:
        sides: for each label, who has it and the scores, each of shape (N,); labels that nobody has are left
            out by the caller.
        numbers: group of each item, of shape (N,).
        n_groups: G.
        n_resamples: B.
        seed: of the resamples.

    Returns:
        nan and nans without any label; a resample without some label averages over the others.
    """
    if not sides:
        return float("nan"), np.full(n_resamples, np.nan)
    rankings = [_Ranking(has, scores) for has, scores in sides]
    values = np.array([ranking.resampled(np.ones((1, len(numbers)), np.float32))[0] for ranking in rankings])
    draws = resample_counts(n_groups, n_resamples, seed)
    if n_resamples * len(numbers) * len(sides) <= EXACT_CELLS:
        parts = [
            np.stack([ranking.resampled(counts[:, numbers]) for ranking in rankings], axis=1)
            for counts in draws
        ]
    else:
        influence = np.stack(
            [
                np.bincount(numbers, weights=ranking.influence(value), minlength=n_groups)
                for ranking, value in zip(rankings, values)
            ],
            axis=1,
        ).astype(np.float32)
        parts = [
            np.clip(values + (counts - 1.0) @ influence, 0.0, 1.0).astype(np.float64) for counts in draws
        ]
    resampled = np.concatenate(parts)
    seen = np.isfinite(resampled)
    total = np.where(seen, resampled, 0.0).sum(axis=1)
    macro = np.where(seen.any(axis=1), total / np.maximum(seen.sum(axis=1), 1), np.nan)
    return float(values.mean()), macro


class _Ranking:
    """Items in the order of falling scores."""

    def __init__(self, has: NDArray[np.bool_], scores: Float) -> None:
        self.order = np.argsort(-scores, kind="stable")
        falling = -scores[self.order]
        self.has = has[self.order]
        self.begin = np.searchsorted(falling, falling, side="left")  # of the ties of each item
        self.end = np.searchsorted(falling, falling, side="right")

    def resampled(self, weights_BN: NDArray[np.float32]) -> Float:
        """Return the value for each row of weights (in the items' own order), of shape (B,)."""
        weights = weights_BN[:, self.order]
        positives = np.flatnonzero(self.has)
        above = np.cumsum(weights, axis=1)[:, self.end[positives] - 1].astype(np.float64)
        own = weights[:, positives]
        hits = np.concatenate([np.zeros((len(own), 1)), np.cumsum(own, axis=1, dtype=np.float64)], axis=1)
        found = hits[:, np.searchsorted(positives, self.end[positives], side="left")]
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = np.where(above > 0, found / above, 0.0)
            return np.asarray((own * precision).sum(axis=1) / own.sum(axis=1, dtype=np.float64))

    def influence(self, value: float) -> Float:
        """Return the derivative of the value in the weight of each item (in their own order), of shape (N,)."""
        has = self.has.astype(np.float64)
        n_positive = has.sum()
        above = self.end.astype(np.float64)
        found = np.cumsum(has)[self.end - 1]
        # What an item at or above a positive adds to that positive's precision, summed from the end.
        gain = np.cumsum((has / above)[::-1])[::-1][self.begin]
        loss = np.cumsum((has * found / above**2)[::-1])[::-1][self.begin]
        slope = (has * (found / above - value) + has * gain - loss) / n_positive
        out = np.empty(len(has))
        out[self.order] = slope
        return out
