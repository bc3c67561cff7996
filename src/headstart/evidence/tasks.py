"""The metrics of each task by one name, so that whoever asks need not know which task it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.targets import Task
from headstart.metrics.bootstrap import N_RESAMPLES
from headstart.metrics.classification import class_metrics
from headstart.metrics.interval import Interval
from headstart.metrics.multilabel import label_metrics
from headstart.metrics.regression import value_metrics


def task_metrics(
    task: Task,
    targets: NDArray[Any],
    outputs: NDArray[np.floating],
    groups: NDArray[np.object_] | None = None,
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return every metric of a task with its interval.

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
    return class_metrics(targets, outputs, groups, **how)
