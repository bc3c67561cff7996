"""Logistic heads, for classes and labels: scored from strong to weak penalties, until the log loss no longer falls.

Penalties are per item.

Legend: N items, C outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.choose.kinds.kind import HeadKind
from headstart.choose.tried_head import Trial, TriedHead
from headstart.heads.linear import LinearHead
from headstart.heads.logistic import fit_logistic, logistic_path
from headstart.heads.reduce import Reduced, Rows
from headstart.heads.streamed import fit_logistic_streamed
from headstart.tasks import Targets

PENALTIES = np.logspace(0, -4, 7)
PATIENCE = 2  # weaker penalties tried after the best
MAX_OPERATIONS = 2e12  # work of a whole path; above it this kind is not tried


def score(reduced: Reduced, trial: Trial, stages: tuple[int, ...]) -> TriedHead | None:
    """Return the logistic head with the smallest log loss.

    Returns:
        None for a quantity, and if the work would be too much (thousands of classes).
    """
    n_problems = len(np.unique(trial.folds)) * trial.n_outputs
    steps = 15 * len(PENALTIES)
    if not trial.task.has_classes or 4.0 * reduced.z.size * n_problems * steps > MAX_OPERATIONS:
        return None
    best: TriedHead | None = None
    since_best = 0
    path = logistic_path(
        reduced.z, trial.targets, trial.n_outputs, trial.folds, PENALTIES, weights_N=trial.weights
    )
    for penalty, logits in zip(PENALTIES, path):
        tried = trial.scored(LOGISTIC.name, stages, float(penalty), logits)
        if best is None or tried.loss < best.loss:
            best, since_best = tried, 0
        else:
            since_best += 1
        if since_best >= PATIENCE:
            break
    return best


def fit(
    tried: TriedHead,
    reduced: Reduced,
    encoded: NDArray[Any],
    targets: Targets,
    weights_N: NDArray[np.floating] | None = None,
) -> LinearHead:
    """Fit the head on the items it was scored on."""
    fitted = fit_logistic(reduced.z, encoded, targets.n_outputs, tried.penalty, weights_N=weights_N)
    return LinearHead.on_rotated(reduced, *fitted, tried.stages, tried.temperature, targets)


def fit_streamed(
    tried: TriedHead,
    reduced: Reduced,
    rows: Rows,
    encoded: NDArray[Any],
    targets: Targets,
    weights_N: NDArray[np.floating] | None = None,
) -> LinearHead:
    """Fit the head on all items; the penalty on the sum over items stays what it was on the sample."""
    penalty = tried.penalty * len(reduced.z) / len(encoded)
    fitted = fit_logistic_streamed(rows, encoded, targets.n_outputs, reduced, penalty, weights_N=weights_N)
    return LinearHead.on_rotated(reduced, *fitted, tried.stages, tried.temperature, targets)


LOGISTIC = HeadKind("logistic", score, fit, fit_streamed, takes_weights=True)
