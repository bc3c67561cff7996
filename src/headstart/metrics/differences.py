"""The paired difference of two results on the same items, with its interval.

Both results are resampled together, whole groups at a time, so that errors that both make do not widen the
interval.

Legend: N items, C classes, B resamples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.bootstrap import (
    N_RESAMPLES,
    Float,
    group_numbers,
    group_sums,
    interval,
    resample_counts,
)
from headstart.metrics.classification import checked
from headstart.metrics.interval import Interval


def accuracy_difference(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    others: NDArray[np.floating],
    groups: NDArray[np.object_] | None = None,
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Return the paired difference in accuracy of two results, the first minus the second.

    Args:
        labels: of shape (N,).
        probabilities: of the first, of shape (N, C).
        others: of the second, of shape (N, C).
        groups: of shape (N,), resampled whole; None: items.
        n_resamples: bootstrap resamples.
        seed: of the resamples.
    """
    labels, first = checked(labels, probabilities)
    _, second = checked(labels, others)
    gain = (first.argmax(axis=1) == labels).astype(np.float64) - (second.argmax(axis=1) == labels)
    numbers, n_groups = group_numbers(groups, len(labels))
    sums = group_sums(numbers, n_groups, np.stack([gain, np.ones(len(gain))], axis=1)).astype(np.float32)
    parts = [counts @ sums for counts in resample_counts(n_groups, n_resamples, seed)]
    resampled = np.concatenate([part[:, 0] / part[:, 1] for part in parts]).astype(np.float64)
    return interval(float(gain.mean()), resampled, n_groups)


def loss_difference(
    losses: Float,
    others: Float,
    groups: NDArray[np.object_] | None = None,
    *,
    root: bool = False,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Return the paired difference in the mean loss of two results, the first minus the second.

    Args:
        losses: of each item under the first, of shape (N,).
        others: under the second, of shape (N,).
        groups: of shape (N,), resampled whole; None: items.
        root: whether the roots of the means are compared.
        n_resamples: bootstrap resamples.
        seed: of the resamples.
    """
    numbers, n_groups = group_numbers(groups, len(losses))
    sums = group_sums(numbers, n_groups, np.stack([losses, others, np.ones(len(losses))], axis=1))

    def difference(sums_B3: Float) -> Float:
        first, second = sums_B3[:, 0] / sums_B3[:, 2], sums_B3[:, 1] / sums_B3[:, 2]
        return np.sqrt(first) - np.sqrt(second) if root else first - second

    draws = resample_counts(n_groups, n_resamples, seed)
    resampled = np.concatenate([difference(counts.astype(np.float64) @ sums) for counts in draws])
    return interval(float(difference(sums.sum(axis=0)[None])[0]), resampled, n_groups)
