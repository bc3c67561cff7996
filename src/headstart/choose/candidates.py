"""Candidate heads, scored by cross-validation on training items.

Legend: N items, C classes, K folds.
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
from headstart.heads.ridge import indicators, leave_fold_out, penalty_path

Kind = Literal["logistic", "ridge"]
RIDGE_PENALTIES = 9
LOGISTIC_PENALTIES = np.logspace(0, -4, 9)
PATIENCE = 2  # weaker penalties tried after the best


@dataclass(frozen=True)
class ProfileRow:
    """The probe at one stage: cross-validated accuracy of a ridge head, with its 95% interval."""

    stage: str
    index: int
    score: float
    low: float
    high: float
    standard_error: float
    penalty: float


@dataclass(frozen=True, eq=False)
class Candidate:
    """One head that was tried.

    Attributes:
        stages: indices of the stages it reads.
        kind: "logistic" or "ridge".
        penalty: per item for logistic; relative to the total variance of the features for ridge.
        accuracy: cross-validated on training items.
        standard_error: of the accuracy, items of a group counted together.
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


def ridge_candidate(reduced: Reduced, task: Task, stages: tuple[int, ...]) -> Candidate:
    """Score a ridge head over a path of penalties and keep the most accurate (the strongest of equals)."""
    y_NC = indicators(task.codes, task.n_classes)
    path = penalty_path(reduced.z, RIDGE_PENALTIES)
    out = leave_fold_out(reduced.z, y_NC, task.folds, path)
    best = int(np.argmax((out.argmax(axis=2) == task.codes).mean(axis=1)))
    total = float(reduced.variance.sum()) * len(reduced.z)
    return scored("ridge", stages, float(path[best] / max(total, 1e-12)), out[best], task)


def logistic_candidate(reduced: Reduced, task: Task, stages: tuple[int, ...]) -> Candidate:
    """Score a logistic head from strong to weak penalties, until the log loss no longer falls."""
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
    assert best is not None  # the path is not empty
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
