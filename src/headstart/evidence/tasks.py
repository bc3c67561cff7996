"""The metrics of each task by one name, so that whoever asks need not know which task it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.targets import Task
from headstart.evidence.average_precision import average_precision
from headstart.evidence.intervals import N_RESAMPLES, Interval, group_numbers, interval
from headstart.evidence.metrics import metrics
from headstart.evidence.multilabel import label_metrics
from headstart.evidence.regression import value_metrics


def task_metrics(
    task: Task,
    targets: NDArray[Any],
    outputs: NDArray[np.floating],
    groups: NDArray[np.object_] | None = None,
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return every metric of a task with its interval; two classes have the average precision of the rarer one.

    Args:
        task: what was learned.
        targets: as `Targets.encode` gives them.
        outputs: probabilities, or values for a quantity, of shape (N, C).
        groups: of shape (N,): whole groups are resampled; None: items.
        n_resamples: bootstrap resamples.
        seed: of the resamples.
    """
    how: dict[str, Any] = {"n_resamples": n_resamples, "seed": seed}
    if task == "regression":
        return value_metrics(targets, outputs, groups, **how)
    if task == "multilabel":
        return label_metrics(targets, outputs, groups, **how)
    found = metrics(targets, outputs, groups, **how)
    if outputs.shape[1] == 2:
        rarer = int(np.bincount(targets, minlength=2).argmin())
        sides = [(targets == rarer, np.asarray(outputs[:, rarer], dtype=np.float64))]
        numbers, n_groups = group_numbers(groups, len(targets))
        some = sides if sides[0][0].any() else []
        value, drawn = average_precision(some, numbers, n_groups, **how)
        found["average_precision"] = interval(value, drawn, n_groups)
    return found
