"""`--threshold`: chosen on training items that a result has not learned from.

Legend: N items, C classes or labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headstart.data.findings import listed
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
            f"data.{did_you_mean(rule.name, targets.classes)} There are {listed(targets.classes, 10)}"
        )


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Training items with probabilities by models that have not learned from them.

    Attributes:
        positions: of the N items.
        outputs: their probabilities, of shape (N, C).
        words: which items they are.
    """

    positions: np.ndarray
    outputs: np.ndarray
    words: str

    @classmethod
    def of(cls, workspace: Workspace, result: Result) -> LeftOut:
        """The items of cross-validation, or the validation items of a training; none if it had none.

        Args:
            workspace: that the result was learned in.
            result: learned.
        """
        trained, folds = result.trained, "training items, cross-validated"
        if result.classical is not None:
            found = result.classical
            return cls(found.left_out, found.model.out_of_fold.outputs, folds)
        if not result.is_trained:
            return cls(result.choice.positions, result.choice.out_of_fold, folds)
        words = "validation items"
        if trained is None or trained.validation_logits is None or result.compared_on is None:
            nothing = np.zeros((0, len(workspace.classes)), np.float32)
            return cls(np.zeros(0, dtype=np.int64), nothing, words)
        outputs = workspace.targets.task.activated(trained.validation_logits, trained.head.temperature)
        return cls(result.compared_on, outputs, words)


def chosen_threshold(workspace: Workspace, result: Result) -> Threshold | None:
    """The threshold of a result by the rule of its plan; None without a rule, or if none can be chosen.

    Args:
        workspace: that the result was learned in.
        result: learned.
    """
    rule = workspace.plan.threshold
    if rule is None:
        return None
    found = LeftOut.of(workspace, result)
    positive = workspace.targets.has(workspace.codes[found.positions], rule.name)
    value = rule.chosen(positive, found.outputs[:, workspace.classes.index(rule.name)])
    return None if value is None else Threshold(rule.name, value)
