"""The verdict on transfer: the result against a baseline without pretrained weights, on the same items.

The baseline was chosen before, without these items (`out_of_fold`): the best of several on the items that are compared
is ahead by chance, and a result that is as good as all of them looks worse.

Classes are judged by accuracy, labels by the mean log loss, a quantity by the root of the mean squared error. The
verdict is positive or negative if the 95% interval of the paired difference (see `metrics.differences`) does not
contain 0, and undecided otherwise, or if there are fewer than `LEAST_ITEMS` items, of which a handful that one side
gets right and the other wrong would decide.

Example:
    >>> import numpy as np
    >>> y = np.array([0, 1] * 50)
    >>> good, bad = np.eye(2)[y], np.full((100, 2), 0.5)
    >>> judge(y, good, bad, against="majority").outcome
    'positive'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headstart.metrics import Interval, Units, metric_named
from headstart.tasks import CLASSIFICATION, Task
from headstart.units import counted

Outcome = Literal["positive", "negative", "undecided"]
LEAST_ITEMS = 10  # independent items, or items in units, below which there is no verdict


@dataclass(frozen=True)
class Verdict:
    """Whether transfer helped.

    Attributes:
        outcome: "positive" or "negative" if the interval does not contain 0, else "undecided".
        against: name of the baseline without pretrained weights; "" if it is not known.
        difference: the metric of the result minus that of the baseline.
        reason: the same in one sentence.
        metric: what was compared: "accuracy", "log_loss" or "rmse".
    """

    outcome: Outcome
    against: str
    difference: Interval
    reason: str
    metric: str = "accuracy"


def judge(
    targets: NDArray[Any],
    outputs: NDArray[np.floating],
    baseline: NDArray[np.floating],
    units: Units | NDArray[Any] | None = None,
    *,
    against: str,
    task: Task = CLASSIFICATION,
) -> Verdict:
    """Judge a result against a baseline without pretrained weights.

    Args:
        targets: as `Targets.encode` gives them: class numbers of shape (N,), or of shape (N, C).
        outputs: probabilities or values of the result, of shape (N, C).
        baseline: the same of the baseline, which was chosen without these items, of shape (N, C).
        units: what belongs together, of shape (N,); None: every item is a unit of its own.
        against: name of the baseline.
        task: what was learned.
    """
    metric = metric_named(task.verdict_metric)
    targets = np.asarray(targets)
    units = Units.of(units, len(targets))
    difference = compared(targets, outputs, baseline, units, task=task)
    low, high = difference.low, difference.high
    if low is None or high is None:
        reason = f"The result and {against} cannot be told apart: {difference.why}."
        return Verdict("undecided", against, difference, reason, metric.key)
    outcome: Outcome = "undecided"
    if low > 0 or high < 0:
        outcome = "positive" if (low > 0) == (metric.better == "higher") else "negative"
    measured_against = f"the baseline without pretrained weights that was best in training, {against}"
    words = {
        "positive": f"The result is better than {measured_against}",
        "negative": f"The result is worse than {measured_against}",
        "undecided": f"The result and {measured_against}, cannot be told apart",
    }
    value = difference.value or 0.0
    if metric.form == "percent":
        shown = f"{100 * value:+.1f} points of {metric.label.lower()} ({100 * low:+.1f} to {100 * high:+.1f})"
    else:
        shown = f"{value:+.3g} of {metric.key.replace('_', ' ')} ({low:+.3g} to {high:+.3g})"
    return Verdict(outcome, against, difference, f"{words[outcome]}: {shown}.", metric.key)


def compared(
    targets: NDArray[Any],
    outputs: NDArray[np.floating],
    others: NDArray[np.floating],
    units: Units | NDArray[Any] | None = None,
    *,
    task: Task = CLASSIFICATION,
) -> Interval:
    """Return the paired difference of two results in the verdict's metric; without an interval below `LEAST_ITEMS`.

    Args:
        targets, outputs, units, task: as `judge` takes them.
        others: of the second result, of shape (N, C).
    """
    found = task.difference(np.asarray(targets), outputs, others, units)
    if len(targets) >= LEAST_ITEMS:
        return found
    return Interval(
        found.value, why=f"{counted(len(targets), 'items')}, {LEAST_ITEMS} are needed for a verdict"
    )
