"""`--threshold`: chosen on training items that a result has not learned from.

Legend: N items, C classes or labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headstart.errors import OptionError, did_you_mean
from headstart.evidence.threshold_rule import ThresholdRule
from headstart.tasks.threshold import Threshold

if TYPE_CHECKING:
    from headstart.data import Examples
    from headstart.fitting.result import Result
    from headstart.fitting.workspace import Workspace


def check_threshold(rule: ThresholdRule | None, examples: Examples) -> None:
    """Refuse a rule that the data has no class for.

    Args:
        rule: that was asked for; None: none was.
        examples: the data, as it was read.

    Raises:
        OptionError: a quantity has no classes, or there is none of this name.
    """
    if rule is None:
        return
    targets = examples.targets
    if not targets.task.has_classes:
        raise OptionError("--threshold needs classes, and a quantity is learned here: leave it out")
    if rule.name not in targets.classes:
        raise OptionError(
            f"--threshold: '{rule.name}' is none of the {len(targets.classes)} {targets.task.words.outputs} of the "
            f"data.{did_you_mean(rule.name, targets.classes)}"
        )


def chosen_threshold(workspace: Workspace, result: Result) -> Threshold | None:
    """The threshold of a result by the rule of its plan; None without a rule, or if none can be chosen.

    Args:
        workspace: that the result was learned in.
        result: learned.
    """
    rule = workspace.plan.threshold
    if rule is None:
        return None
    positions, outputs = not_learned_from(workspace, result)
    column = workspace.classes.index(rule.name)
    value = rule.chosen(is_of(workspace, positions, column), outputs[:, column])
    return None if value is None else Threshold(rule.name, value)


def not_learned_from(workspace: Workspace, result: Result) -> tuple[np.ndarray, np.ndarray]:
    """Positions of N training items, and their probabilities (N, C) by models that have not learned from them.

    They are those of cross-validation, or of the validation items of a training.

    Args:
        workspace: that the result was learned in.
        result: learned.
    """
    trained = result.trained
    if result.classical is not None:
        found = result.classical
        return found.left_out, found.model.out_of_fold.outputs
    if not result.is_trained:
        return result.choice.positions, result.choice.out_of_fold
    if trained is None or trained.validation_logits is None or result.compared_on is None:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, np.zeros((0, len(workspace.classes)), np.float32)
    task = workspace.targets.task
    return result.compared_on, task.activated(trained.validation_logits, trained.head.temperature)


def is_of(workspace: Workspace, positions: np.ndarray, column: int) -> np.ndarray:
    """Whether items have a class or label, of shape (N,) bool.

    Args:
        workspace: labels.
        positions: of the N items.
        column: of the class or label.
    """
    codes = workspace.codes[positions]
    return np.asarray(codes[:, column] > 0 if codes.ndim == 2 else codes == column)
