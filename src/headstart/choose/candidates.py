"""Candidate heads, scored by cross-validation on training items.

For a set of stages, ridge and logistic heads are each scored over a path of penalties; the penalty and
the kind are those with the smallest error in probability, which is less noisy than accuracy. A quantity has
ridge heads alone. What is compared between stages is the quality of each item (see `heads.outputs`).

Legend: N items, C outputs, P penalties.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headstart.data.targets import Task
from headstart.heads.calibrate import fit_temperature
from headstart.heads.logistic import logistic_path
from headstart.heads.outputs import activated, item_losses, item_quality
from headstart.heads.reduce import Reduced
from headstart.heads.ridge import Float, fold_predictions, indicators, leave_fold_out, penalty_path
from headstart.metrics.bootstrap import standard_error

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
        quality: cross-validated on training items: accuracy, explained share of the log loss, or R2.
        standard_error: of the quality, items of a group counted together; nan for a single group.
        loss: cross-validated, at the temperature below: log loss or squared error.
        temperature: fitted on the out-of-fold logits; 1 for a quantity.
        logits: out of fold, of shape (N, C); for a quantity its values.
    """

    stages: tuple[int, ...]
    kind: Kind
    penalty: float
    quality: float
    standard_error: float
    loss: float
    temperature: float
    logits: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Coding:
    """How a ridge head sees targets, and the way back to scores: scores = shift + factor * predictions.

    Classes are indicators; labels are -1/2 and 1/2, so that the score is 0 where it tips; a quantity is
    standardised, so that sums of squares keep their digits.
    """

    task: Task
    n_outputs: int
    shift: float = 0.0
    factor: float = 1.0

    @classmethod
    def of(cls, task: Task, targets: NDArray[Any], n_outputs: int) -> Coding:
        """The coding for the targets of the training items."""
        if task != "regression":
            return cls(task, n_outputs)
        spread = float(targets.std(dtype=np.float64))
        return cls(task, n_outputs, float(targets.mean(dtype=np.float64)), spread if spread > 0 else 1.0)

    def coded(self, targets: NDArray[Any]) -> Float:
        """What a ridge head is fitted to, of shape (N, C), float64."""
        if self.task == "classification":
            return indicators(targets, self.n_outputs)
        if self.task == "multilabel":
            return np.asarray(targets, dtype=np.float64) - 0.5
        return np.asarray((targets.astype(np.float64) - self.shift) / self.factor)


@dataclass(frozen=True, eq=False)
class Trial:
    """What every candidate is scored on.

    Attributes:
        task: what is learned.
        targets: of the N training items, as `Targets.encode` gives them.
        n_outputs: C.
        folds: of shape (N,).
        groups: of shape (N,), or None.
    """

    task: Task
    targets: NDArray[Any]
    n_outputs: int
    folds: NDArray[np.integer]
    groups: NDArray[np.object_] | None

    @cached_property
    def coding(self) -> Coding:
        """How a ridge head sees the targets."""
        return Coding.of(self.task, self.targets, self.n_outputs)

    @cached_property
    def coded(self) -> Float:
        """The targets as a ridge head sees them, of shape (N, C)."""
        return self.coding.coded(self.targets)

    def quality(self, candidate: Candidate) -> Float:
        """How good a candidate's out-of-fold answer is for each item, of shape (N,)."""
        outputs = activated(self.task, candidate.logits, candidate.temperature)
        return item_quality(self.task, outputs, self.targets)


def best_candidate(
    reduced: Reduced, trial: Trial, stages: tuple[int, ...], ridge: Candidate | None
) -> Candidate:
    """Return the ridge or the logistic head on these stages, whichever has the smaller loss.

    Args:
        reduced: rotated features of the stages.
        trial: what to score on.
        stages: their indices.
        ridge: the ridge head, where it has been scored already.
    """
    ridge = ridge or ridge_candidate(reduced, trial, stages)
    if trial.task == "regression":
        return ridge
    logistic = logistic_candidate(reduced, trial, stages)
    return ridge if logistic is None or ridge.loss < logistic.loss else logistic


def ridge_candidate(reduced: Reduced, trial: Trial, stages: tuple[int, ...]) -> Candidate:
    """Score a ridge head over a path of penalties and keep the one with the smallest squared error."""
    y_NC = trial.coded
    path = penalty_path(reduced.z, N_RIDGE_PENALTIES)
    errors = np.zeros(len(path))
    for rows, position, predictions in fold_predictions(reduced.z, y_NC, trial.folds, path):
        errors[position] += np.square(predictions - y_NC[rows]).sum()
    best = path[[int(np.argmin(errors))]]
    out_NC = leave_fold_out(reduced.z, y_NC, trial.folds, best)[0]
    logits = (trial.coding.shift + trial.coding.factor * out_NC).astype(np.float32)
    return scored("ridge", stages, float(best[0]) / gram_trace(reduced), logits, trial)


def gram_trace(reduced: Reduced) -> float:
    """Return the total variance times the number of items, what ridge penalties are relative to."""
    return max(float(reduced.variance.sum()) * len(reduced.z), 1e-12)


def logistic_candidate(reduced: Reduced, trial: Trial, stages: tuple[int, ...]) -> Candidate | None:
    """Score a logistic head from strong to weak penalties, until the log loss no longer falls.

    Returns:
        None where the work would be out of proportion (thousands of classes).
    """
    n_problems = len(np.unique(trial.folds)) * trial.n_outputs
    steps = 15 * len(LOGISTIC_PENALTIES)
    if 4.0 * reduced.z.size * n_problems * steps > MAX_OPERATIONS:
        return None
    best: Candidate | None = None
    since_best = 0
    path = logistic_path(reduced.z, trial.targets, trial.n_outputs, trial.folds, LOGISTIC_PENALTIES)
    for penalty, logits in zip(LOGISTIC_PENALTIES, path):
        candidate = scored("logistic", stages, float(penalty), logits, trial)
        if best is None or candidate.loss < best.loss:
            best, since_best = candidate, 0
        else:
            since_best += 1
        if since_best >= PATIENCE:
            break
    return best


def scored(
    kind: Kind, stages: tuple[int, ...], penalty: float, logits_NC: NDArray[np.float32], trial: Trial
) -> Candidate:
    """Return a candidate with the scores of its out-of-fold logits."""
    temperature = 1.0 if trial.task == "regression" else fit_temperature(logits_NC, trial.targets)
    outputs = activated(trial.task, logits_NC, temperature)
    quality = item_quality(trial.task, outputs, trial.targets)
    return Candidate(
        stages=stages,
        kind=kind,
        penalty=penalty,
        quality=float(quality.mean()),
        standard_error=standard_error(quality, trial.groups),
        loss=float(item_losses(trial.task, outputs, trial.targets).mean()),
        temperature=temperature,
        logits=logits_NC,
    )
