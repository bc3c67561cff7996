"""Candidate heads, scored by cross-validation on training items.

For a set of stages, ridge and logistic heads are each scored over a path of penalties; the penalty and
the kind are those with the smallest error in probability, which is less noisy than accuracy.

Legend: N items, C classes, P penalties.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headstart.evidence.intervals import standard_error
from headstart.heads.calibrate import fit_temperature, log_loss_of
from headstart.heads.logistic import logistic_path
from headstart.heads.reduce import Reduced
from headstart.heads.ridge import fold_predictions, indicators, leave_fold_out, penalty_path

Kind = Literal["logistic", "ridge"]
N_RIDGE_PENALTIES = 8
LOGISTIC_PENALTIES = np.logspace(0, -4, 7)
PATIENCE = 2  # weaker penalties tried after the best
MAX_OPERATIONS = 2e12  # of a whole logistic path; more classes or items than that: ridge alone


@dataclass(frozen=True, eq=False)
class Candidate:
    """One head that was tried.

    Attributes:
        stages: indices of the stages it reads.
        kind: "logistic" or "ridge".
        penalty: per item for logistic; relative to the total variance of the features for ridge.
        accuracy: cross-validated on training items.
        standard_error: of the accuracy, items of a group counted together; nan for a single group.
        log_loss: cross-validated, at the temperature below.
        temperature: fitted on the out-of-fold logits.
        logits: out of fold, of shape (N, C).
    """

    stages: tuple[int, ...]
    kind: Kind
    penalty: float
    accuracy: float
    standard_error: float
    log_loss: float
    temperature: float
    logits: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Task:
    """What every candidate is scored on: class numbers, folds and groups of the N training items."""

    codes: NDArray[np.intp]
    n_classes: int
    folds: NDArray[np.integer]
    groups: NDArray[np.object_] | None


def best_candidate(
    reduced: Reduced, task: Task, stages: tuple[int, ...], ridge: Candidate | None
) -> Candidate:
    """Return the ridge or the logistic head on these stages, whichever has the smaller log loss.

    Args:
        reduced: rotated features of the stages.
        task: what to score on.
        stages: their indices.
        ridge: the ridge head, where it has been scored already.
    """
    ridge = ridge or ridge_candidate(reduced, task, stages)
    logistic = logistic_candidate(reduced, task, stages)
    return ridge if logistic is None or ridge.log_loss < logistic.log_loss else logistic


def ridge_candidate(reduced: Reduced, task: Task, stages: tuple[int, ...]) -> Candidate:
    """Score a ridge head over a path of penalties and keep the one with the smallest squared error."""
    y_NC = indicators(task.codes, task.n_classes)
    path = penalty_path(reduced.z, N_RIDGE_PENALTIES)
    errors = np.zeros(len(path))
    for rows, position, predictions in fold_predictions(reduced.z, y_NC, task.folds, path):
        errors[position] += np.square(predictions - y_NC[rows]).sum()
    best = path[[int(np.argmin(errors))]]
    out_NC = leave_fold_out(reduced.z, y_NC, task.folds, best)[0]
    return scored("ridge", stages, float(best[0]) / gram_trace(reduced), out_NC, task)


def gram_trace(reduced: Reduced) -> float:
    """Return the total variance times the number of items, what ridge penalties are relative to."""
    return max(float(reduced.variance.sum()) * len(reduced.z), 1e-12)


def logistic_candidate(reduced: Reduced, task: Task, stages: tuple[int, ...]) -> Candidate | None:
    """Score a logistic head from strong to weak penalties, until the log loss no longer falls.

    Returns:
        None where the work would be out of proportion (thousands of classes).
    """
    n_problems = len(np.unique(task.folds)) * task.n_classes
    steps = 15 * len(LOGISTIC_PENALTIES)
    if 4.0 * reduced.z.size * n_problems * steps > MAX_OPERATIONS:
        return None
    best: Candidate | None = None
    since_best = 0
    path = logistic_path(reduced.z, task.codes, task.n_classes, task.folds, LOGISTIC_PENALTIES)
    for penalty, logits in zip(LOGISTIC_PENALTIES, path):
        candidate = scored("logistic", stages, float(penalty), logits, task)
        if best is None or candidate.log_loss < best.log_loss:
            best, since_best = candidate, 0
        else:
            since_best += 1
        if since_best >= PATIENCE:
            break
    return best


def scored(
    kind: Kind, stages: tuple[int, ...], penalty: float, logits_NC: NDArray[np.float32], task: Task
) -> Candidate:
    """Return a candidate with the scores of its out-of-fold logits."""
    temperature = fit_temperature(logits_NC, task.codes)
    correct = (logits_NC.argmax(axis=1) == task.codes).astype(np.float64)
    return Candidate(
        stages=stages,
        kind=kind,
        penalty=penalty,
        accuracy=float(correct.mean()),
        standard_error=standard_error(correct, task.groups),
        log_loss=log_loss_of(logits_NC / temperature, task.codes),
        temperature=temperature,
        logits=logits_NC,
    )
