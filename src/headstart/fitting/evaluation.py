"""Learn, and measure the result on items that were not learned from: the held-out part once, or every fold in turn.

Legend: N items, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from headstart.fitting import head_alone
from headstart.fitting.learnable import evaluation_folds
from headstart.fitting.learning import learn
from headstart.fitting.race import scratch_outputs
from headstart.fitting.result import Result
from headstart.fitting.training import trained_on_all
from headstart.fitting.workspace import Workspace
from headstart.progress import progress


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Outputs for items that were not learned from.

    Attributes:
        positions: of these items in the data, of shape (n_items,).
        probabilities: of the result, of shape (n_items, C); its values for a quantity.
        head_alone: of the head alone.
        temperatures: what the scores of each item were divided by, of shape (n_items,).
        folds: fold of each item if the whole procedure was cross-validated, else None.
        scratch: of the same network from scratch, if a race trained it to its end.
    """

    positions: np.ndarray
    probabilities: np.ndarray
    head_alone: np.ndarray
    temperatures: np.ndarray
    folds: np.ndarray | None = None
    scratch: np.ndarray | None = None

    def rounds(self, train: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Positions learned from, positions held out and rows of the evaluation: of the split, or of each fold.

        Args:
            train: positions of the training part.
        """
        if self.folds is None:
            return [(train, self.positions, np.arange(len(self.positions)))]
        positions = self.positions
        return [
            (positions[self.folds != fold], positions[self.folds == fold], np.flatnonzero(self.folds == fold))
            for fold in np.unique(self.folds)
        ]


def learn_and_evaluate(
    workspace: Workspace, folder: Path, resume: bool, *, n_folds: int | None = None, refit_all: bool = False
) -> tuple[Result, Evaluation]:
    """Learn from the training part and predict the held-out one; or cross-validate, then learn from all.

    Args:
        workspace: the plan with its features.
        folder: for checkpoints.
        resume: resume from checkpoints there.
        n_folds: folds of the cross-validation; None: the held-out part is predicted.
        refit_all: learn from every item after the evaluation; the result has it as `refit`.
    """
    data = workspace.plan.data
    train, validation, test = (data.positions(part) for part in ("train", "validation", "test"))
    if n_folds is not None:
        evaluation = _cross_validate(workspace, train, n_folds, folder, resume)
        return learn(workspace, train, validation, folder, resume), evaluation
    result = learn(workspace, train, validation, folder, resume)
    evaluation = Evaluation(
        test,
        outputs(workspace, result, test),
        head_alone.outputs(workspace, result.choice, test),
        np.full(len(test), result.head.temperature),
        scratch=scratch_outputs(workspace, result, test),
    )
    if refit_all:
        refit = _refitted(workspace, result, np.arange(len(data)), folder / "on-all", resume)
        result = replace(result, refit=refit)
    return result, evaluation


def outputs(workspace: Workspace, result: Result, positions: np.ndarray) -> np.ndarray:
    """Probabilities, or values for a quantity, of items by a result, of shape (n_items, C)."""
    if result.is_trained:
        with workspace.clock.phase("evaluate"):
            features = workspace.features_by(result.source, positions)
    else:
        features = workspace.features.take(positions)
    return result.head.outputs(features.stacked(result.head.stages))


def _cross_validate(
    workspace: Workspace, items: np.ndarray, n_folds: int, folder: Path, resume: bool
) -> Evaluation:
    folds = evaluation_folds(workspace.plan, items, n_folds).numbers
    probabilities = np.zeros((len(items), len(workspace.classes)), np.float32)
    alone, temperatures = np.zeros_like(probabilities), np.ones(len(items))
    numbers = np.unique(folds)
    with progress("Cross-validating", total=len(numbers), unit="folds") as advance:
        for fold in numbers.tolist():
            inside, outside = items[folds != fold], items[folds == fold]
            result = learn(workspace, inside, outside[:0], folder / f"fold-{fold + 1}", resume)
            probabilities[folds == fold] = outputs(workspace, result, outside)
            alone[folds == fold] = head_alone.outputs(workspace, result.choice, outside)
            temperatures[folds == fold] = result.head.temperature
            advance(1)
    return Evaluation(items, probabilities, alone, temperatures, folds)


def _refitted(
    workspace: Workspace, result: Result, everything: np.ndarray, folder: Path, resume: bool
) -> Result:
    """The result that was evaluated, learned again from every label.

    Its reason says what the head alone was chosen by, or that an average is not made again.
    """
    if result.is_trained:
        reason = "Without the average." if result.race is not None and result.race.averaged else ""
        refit = trained_on_all(workspace, result, everything, folder, resume)
    else:
        choice = head_alone.choose(workspace, everything)
        refit, reason = replace(result, head=choice.head, choice=choice), choice.reason
    return replace(refit, n_train=len(everything), n_validation=0, reason=reason)
