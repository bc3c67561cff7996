"""Ridge heads: scored over a path of penalties; the penalty with the smallest squared error is taken.

They are cheap and robust, so they are also the probes of the depth profile. Penalties are relative to the total
variance of the features.

Legend: N items, C outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.choose.kinds.kind import HeadKind
from headstart.choose.tried_head import Trial, TriedHead
from headstart.heads.linear import LinearHead
from headstart.heads.reduce import Reduced, Rows
from headstart.heads.ridge import fit_ridge, fold_predictions, leave_fold_out, penalty_path, weighted
from headstart.heads.streamed import fit_ridge_streamed
from headstart.tasks import Targets

N_PENALTIES = 8


def score(reduced: Reduced, trial: Trial, stages: tuple[int, ...]) -> TriedHead:
    """Return the ridge head with the smallest squared error."""
    y_NC, w_N = trial.ridge_targets, trial.weights
    path = penalty_path(reduced.z, N_PENALTIES)
    errors = np.zeros(len(path))
    for rows, position, predictions in fold_predictions(reduced.z, y_NC, trial.folds, path, w_N):
        errors[position] += weighted(
            np.square(predictions - y_NC[rows]), None if w_N is None else w_N[rows]
        ).sum()
    best = path[[int(np.argmin(errors))]]
    out_NC = leave_fold_out(reduced.z, y_NC, trial.folds, best, w_N)[0]
    return trial.scored(
        RIDGE.name, stages, float(best[0]) / _gram_trace(reduced), trial.scale.outward(out_NC)
    )


def fit(
    tried: TriedHead,
    reduced: Reduced,
    encoded: NDArray[Any],
    targets: Targets,
    weights_N: NDArray[np.floating] | None = None,
) -> LinearHead:
    """Fit the head on the items it was scored on."""
    scale = targets.task.scale_of(encoded)
    y_NC = targets.task.ridge_targets(encoded, targets.n_outputs, scale)
    weight, bias = fit_ridge(reduced.z, y_NC, tried.penalty * _gram_trace(reduced), weights_N)
    return LinearHead.on_rotated(
        reduced, weight.astype(np.float32), bias, tried.stages, tried.temperature, targets, scale
    )


def fit_streamed(
    tried: TriedHead,
    reduced: Reduced,
    rows: Rows,
    encoded: NDArray[Any],
    targets: Targets,
    weights_N: NDArray[np.floating] | None = None,
) -> LinearHead:
    """Fit the head on all items; the penalty on the sum over items stays what it was on the sample."""
    scale = targets.task.scale_of(encoded)
    y_NC = targets.task.ridge_targets(encoded, targets.n_outputs, scale)
    fitted = fit_ridge_streamed(rows, y_NC, reduced, tried.penalty * _gram_trace(reduced), weights_N)
    return LinearHead.on_rotated(reduced, *fitted, tried.stages, tried.temperature, targets, scale)


def _gram_trace(reduced: Reduced) -> float:
    """Return the total variance times the number of items; penalties are relative to it."""
    return max(float(reduced.variance.sum()) * len(reduced.z), 1e-12)


RIDGE = HeadKind("ridge", score, fit, fit_streamed, takes_weights=True, log_probabilities=False)
