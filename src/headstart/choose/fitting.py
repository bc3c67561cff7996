"""The chosen head, fitted on all training items."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.choose.candidates import Candidate, gram_trace
from headstart.choose.features import StageFeatures, StageRows
from headstart.errors import DataError
from headstart.heads.linear import LinearHead
from headstart.heads.logistic import fit_logistic
from headstart.heads.reduce import CHUNK, Reduced, Rows
from headstart.heads.ridge import fit_ridge
from headstart.heads.streamed import fit_logistic_streamed, fit_ridge_streamed
from headstart.tasks import Targets


def fit_head(candidate: Candidate, reduced: Reduced, encoded: NDArray[Any], targets: Targets) -> LinearHead:
    """Fit a candidate on the items it was scored on.

    Args:
        candidate: what to fit.
        reduced: rotated features of its stages, of N items.
        encoded: targets of the N items.
        targets: the task with its C names.
    """
    if candidate.kind == "ridge":
        penalty = candidate.penalty * gram_trace(reduced)
        scale = targets.task.scale_of(encoded)
        y_NC = targets.task.ridge_targets(encoded, targets.n_outputs, scale)
        weight, bias = fit_ridge(reduced.z, y_NC, penalty)
        head = _head(candidate, reduced, weight.astype(np.float32), bias.astype(np.float32), targets)
        return scale.head_outward(head)
    start = fit_logistic(reduced.z, encoded, targets.n_outputs, candidate.penalty)
    return _head(candidate, reduced, *start, targets)


def fit_head_streamed(
    candidate: Candidate,
    reduced: Reduced,
    features: StageFeatures,
    encoded: NDArray[Any],
    targets: Targets,
) -> LinearHead:
    """Fit a candidate that was scored on a sample on all items, read in chunks.

    The penalty on the sum over items stays what it was on the sample.

    Args:
        candidate: what to fit.
        reduced: rotated features of the sample.
        features: of all N items.
        encoded: targets of the N items.
        targets: the task with its C names.

    Raises:
        DataError: a feature is not finite.
    """
    rows = StageRows(features, candidate.stages)
    _require_finite(rows, " + ".join(features.stages[i] for i in candidate.stages))
    share = len(reduced.z) / len(encoded)
    if candidate.kind == "ridge":
        penalty = candidate.penalty * gram_trace(reduced)
        scale = targets.task.scale_of(encoded)
        y_NC = targets.task.ridge_targets(encoded, targets.n_outputs, scale)
        head = _head(candidate, reduced, *fit_ridge_streamed(rows, y_NC, reduced, penalty), targets)
        return scale.head_outward(head)
    fitted = fit_logistic_streamed(rows, encoded, targets.n_outputs, reduced, candidate.penalty * share)
    return _head(candidate, reduced, *fitted, targets)


def _require_finite(rows: Rows, name: str) -> None:
    for start in range(0, rows.shape[0], CHUNK):
        finite = np.isfinite(rows[start : start + CHUNK]).all(axis=1)
        if not finite.all():
            raise DataError(
                f"The features of stage {name} are not finite for item {start + int(np.argmin(finite))}. "
                "Extract them in fp32 (--precision fp32), or look for broken weights or inputs."
            )


def _head(
    candidate: Candidate,
    reduced: Reduced,
    weight_CR: NDArray[np.float32],
    bias_C: NDArray[np.float32],
    targets: Targets,
) -> LinearHead:
    return LinearHead(
        stages=candidate.stages,
        mean=reduced.standardiser.mean,
        scale=reduced.standardiser.scale,
        weight=reduced.weights(weight_CR),
        bias=bias_C,
        temperature=candidate.temperature,
        classes=targets.classes,
        task=targets.task,
    )
