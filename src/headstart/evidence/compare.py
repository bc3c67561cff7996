"""Two results on the same items: the paired difference in accuracy, and the verdict on transfer.

Both are resampled together, whole groups at a time, so that what both get wrong does not widen the interval.

Example:
    >>> import numpy as np
    >>> y = np.array([0, 1] * 50)
    >>> good, bad = np.eye(2)[y], np.full((100, 2), 0.5)
    >>> verdict(y, good, {"majority": bad}).outcome
    'positive'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headstart.evidence.intervals import (
    N_RESAMPLES,
    Interval,
    group_numbers,
    group_sums,
    interval,
    resample_counts,
)
from headstart.evidence.metrics import checked

Outcome = Literal["positive", "negative", "undecided"]


@dataclass(frozen=True)
class Verdict:
    """Whether transfer helped.

    Attributes:
        outcome: "positive" or "negative" where the interval leaves 0 out, else "undecided".
        against: name of the best baseline without pretrained weights; "" where there is none.
        difference: accuracy of the result minus that of the baseline.
        reason: the same in one sentence.
    """

    outcome: Outcome
    against: str
    difference: Interval
    reason: str


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


def verdict(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    baselines: Mapping[str, NDArray[np.floating]],
    groups: NDArray[np.object_] | None = None,
    *,
    seed: int = 0,
) -> Verdict:
    """Judge a result against the best baseline without pretrained weights.

    Args:
        labels: of shape (N,).
        probabilities: of the result, of shape (N, C).
        baselines: probabilities of each baseline, of shape (N, C), by name.
        groups: of shape (N,), resampled whole; None: items.
        seed: of the resamples.
    """
    if not baselines:
        return Verdict("undecided", "", Interval(None, None, None), "There is no baseline to compare with.")
    labels = np.asarray(labels)
    right = {name: float((p.argmax(axis=1) == labels).mean()) for name, p in baselines.items()}
    best = max(right, key=lambda name: right[name])
    difference = accuracy_difference(labels, probabilities, baselines[best], groups, seed=seed)
    low, high = difference.low, difference.high
    if low is None or high is None:
        reason = f"With one group alone the difference to {best} has no interval."
        return Verdict("undecided", best, difference, reason)
    outcome: Outcome = "positive" if low > 0 else "negative" if high < 0 else "undecided"
    baseline = f"the best baseline without pretrained weights, {best}"
    words = {
        "positive": f"The result is better than {baseline}",
        "negative": f"The result is worse than {baseline}",
        "undecided": f"The result and {baseline}, are too near to tell apart",
    }
    points = (
        f"{100 * (difference.value or 0):+.1f} points of accuracy ({100 * low:+.1f} to {100 * high:+.1f})"
    )
    reason = f"{words[outcome]}: {points}."
    return Verdict(outcome, best, difference, reason)
