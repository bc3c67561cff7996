"""Candidate heads, scored by cross-validation on training items.

For a set of stages, ridge and logistic heads are each scored over a path of penalties; the penalty and
the kind are those with the smallest error in probability, which is less noisy than accuracy. A quantity has
ridge heads alone. What is compared between stages is the quality of each item (see `Task.item_quality`).

Legend: N items, C outputs, P penalties.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headstart.heads.calibrate import temperature_for
from headstart.heads.logistic import logistic_path
from headstart.heads.reduce import Reduced
from headstart.heads.ridge import Float, fold_predictions, leave_fold_out, penalty_path
from headstart.metrics.bootstrap import standard_error
from headstart.tasks import TargetScale, Task

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
    def scale(self) -> TargetScale:
        """The unit in which heads are fitted."""
        return self.task.scale_of(self.targets)

    @cached_property
    def ridge_targets(self) -> Float:
        """What a ridge head is fitted to, of shape (N, C)."""
        return self.task.ridge_targets(self.targets, self.n_outputs, self.scale)

    def quality(self, candidate: Candidate) -> Float:
        """How good a candidate's out-of-fold answer is for each item, of shape (N,)."""
        outputs = self.task.activated(candidate.logits, candidate.temperature)
        return self.task.item_quality(outputs, self.targets)


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
    if not trial.task.has_classes:
        return ridge
    logistic = logistic_candidate(reduced, trial, stages)
    return ridge if logistic is None or ridge.loss < logistic.loss else logistic


def ridge_candidate(reduced: Reduced, trial: Trial, stages: tuple[int, ...]) -> Candidate:
    """Score a ridge head over a path of penalties and keep the one with the smallest squared error."""
    y_NC = trial.ridge_targets
    path = penalty_path(reduced.z, N_RIDGE_PENALTIES)
    errors = np.zeros(len(path))
    for rows, position, predictions in fold_predictions(reduced.z, y_NC, trial.folds, path):
        errors[position] += np.square(predictions - y_NC[rows]).sum()
    best = path[[int(np.argmin(errors))]]
    out_NC = leave_fold_out(reduced.z, y_NC, trial.folds, best)[0]
    logits = trial.scale.outward(out_NC)
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
    temperature = temperature_for(trial.task, logits_NC, trial.targets)
    outputs = trial.task.activated(logits_NC, temperature)
    quality = trial.task.item_quality(outputs, trial.targets)
    return Candidate(
        stages=stages,
        kind=kind,
        penalty=penalty,
        quality=float(quality.mean()),
        standard_error=standard_error(quality, trial.groups),
        loss=float(trial.task.item_losses(outputs, trial.targets).mean()),
        temperature=temperature,
        logits=logits_NC,
    )
