"""Two results on the same items: the paired difference, and the verdict on transfer.

Classes are judged by accuracy, labels by the mean log loss, a quantity by the root of the mean squared error.
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
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headstart.data.targets import Task
from headstart.heads.outputs import item_losses, item_quality
from headstart.metrics.bootstrap import N_RESAMPLES, group_numbers, group_sums, interval, resample_counts
from headstart.metrics.classification import checked
from headstart.metrics.interval import Interval

METRIC: Mapping[Task, str] = {"classification": "accuracy", "multilabel": "log_loss", "regression": "rmse"}
Outcome = Literal["positive", "negative", "undecided"]


@dataclass(frozen=True)
class Verdict:
    """Whether transfer helped.

    Attributes:
        outcome: "positive" or "negative" where the interval leaves 0 out, else "undecided".
        against: name of the best baseline without pretrained weights; "" where there is none.
        difference: the metric of the result minus that of the baseline.
        reason: the same in one sentence.
        metric: what was compared: "accuracy", "log_loss" or "rmse".
    """

    outcome: Outcome
    against: str
    difference: Interval
    reason: str
    metric: str = "accuracy"


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
    task: Task,
    targets: NDArray[Any],
    outputs: NDArray[np.floating],
    others: NDArray[np.floating],
    groups: NDArray[np.object_] | None = None,
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Return the paired difference in log loss or root mean squared error, the first minus the second.

    Args:
        task: "multilabel" or "regression".
        targets: as `Targets.encode` gives them.
        outputs: of the first, of shape (N, C).
        others: of the second, of shape (N, C).
        groups: of shape (N,), resampled whole; None: items.
        n_resamples: bootstrap resamples.
        seed: of the resamples.
    """
    numbers, n_groups = group_numbers(groups, len(targets))
    losses = [item_losses(task, each, targets) for each in (outputs, others)]
    sums = group_sums(numbers, n_groups, np.stack([*losses, np.ones(len(targets))], axis=1))

    def difference(sums_B3: NDArray[np.float64]) -> NDArray[np.float64]:
        first, second = sums_B3[:, 0] / sums_B3[:, 2], sums_B3[:, 1] / sums_B3[:, 2]
        return np.sqrt(first) - np.sqrt(second) if task == "regression" else first - second

    draws = resample_counts(n_groups, n_resamples, seed)
    resampled = np.concatenate([difference(counts.astype(np.float64) @ sums) for counts in draws])
    return interval(float(difference(sums.sum(axis=0)[None])[0]), resampled, n_groups)


def verdict(
    targets: NDArray[Any],
    outputs: NDArray[np.floating],
    baselines: Mapping[str, NDArray[np.floating]],
    groups: NDArray[np.object_] | None = None,
    *,
    task: Task = "classification",
    seed: int = 0,
) -> Verdict:
    """Judge a result against the best baseline without pretrained weights.

    Args:
        targets: as `Targets.encode` gives them: class numbers of shape (N,), or of shape (N, C).
        outputs: probabilities or values of the result, of shape (N, C).
        baselines: the same of each baseline, of shape (N, C), by name.
        groups: of shape (N,), resampled whole; None: items.
        task: what was learned.
        seed: of the resamples.
    """
    metric = METRIC[task]
    if not baselines:
        reason = "There is no baseline to compare with."
        return Verdict("undecided", "", Interval(None), reason, metric)
    targets = np.asarray(targets)
    best = max(baselines, key=lambda name: float(item_quality(task, baselines[name], targets).mean()))
    if task == "classification":
        difference = accuracy_difference(targets, outputs, baselines[best], groups, seed=seed)
    else:
        difference = loss_difference(task, targets, outputs, baselines[best], groups, seed=seed)
    low, high = difference.low, difference.high
    if low is None or high is None:
        reason = f"With one group alone the difference to {best} has no interval."
        return Verdict("undecided", best, difference, reason, metric)
    outcome: Outcome = "undecided"
    if low > 0 or high < 0:
        outcome = "positive" if (low > 0) == (task == "classification") else "negative"
    baseline = f"the best baseline without pretrained weights, {best}"
    words = {
        "positive": f"The result is better than {baseline}",
        "negative": f"The result is worse than {baseline}",
        "undecided": f"The result and {baseline}, are too near to tell apart",
    }
    value = difference.value or 0.0
    if task == "classification":
        shown = f"{100 * value:+.1f} points of accuracy ({100 * low:+.1f} to {100 * high:+.1f})"
    else:
        shown = f"{value:+.3g} of {metric.replace('_', ' ')} ({low:+.3g} to {high:+.3g})"
    return Verdict(outcome, best, difference, f"{words[outcome]}: {shown}.", metric)
