"""`Decision`: the threshold by which a run answers, and what it gives on items that it has not learned from.

Legend: N items, C classes or labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.metrics import Interval
from headstart.metrics.classification import mean_share
from headstart.metrics.operating import operating_point
from headstart.tasks import Targets
from headstart.tasks.threshold import Threshold
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.metrics import Units
    from headstart.runs import Record

KEY = "threshold"  # of metrics.json and head.json
SCORES = {
    "recall": "Recall",
    "precision": "Precision",
    "false_alarms": "False alarms",
    "accuracy": "Accuracy",
}


@dataclass(frozen=True)
class Decision:
    """A threshold, what it was chosen for, and what it gives.

    Attributes:
        threshold: of the run.
        rule: what it was chosen for, such as "recall=0.95".
        chosen_on: which items it was chosen on, in words.
        n_items: how many of them there are.
        n_of_class: how many of the class; groups and copies count once.
        least: the same number from which on the rule can promise its goal on average.
        scores: of items that were not learned from: recall, precision, false alarms and, with one class per item,
            accuracy.
        n_folds_without: folds of the evaluation in which none was found: their items are not among the scores.
    """

    threshold: Threshold
    rule: str
    chosen_on: str
    n_items: int
    n_of_class: int
    least: int = 1
    scores: Mapping[str, Interval] = field(default_factory=dict)
    n_folds_without: int = 0

    @classmethod
    def of(cls, record: Record) -> Decision | None:
        """The decision of a run; None if its answers are the usual ones.

        Args:
            record: of the run.
        """
        content = record.extra.get(KEY)
        if content is None:
            return None
        scores = {name: Interval.of(score) for name, score in content["scores"].items()}
        names = ("rule", "chosen_on", "n_items", "n_of_class", "least")
        return cls(
            _threshold(content),
            **{name: content[name] for name in names},
            scores=scores,
            n_folds_without=content.get("n_folds_without", 0),
        )

    @property
    def words(self) -> str:
        """What the run answers, in a sentence."""
        chosen = f" on {self.n_items:,} {self.chosen_on}" if self.n_items else ""
        text = (
            f"An item is called “{self.threshold.name}” from a probability of {self.threshold.value:.3g} on, "
            f"chosen for {self.rule.replace('=', ' ')}{chosen}."
        )
        if self.n_of_class < self.least:
            text += (
                f" They hold {self.n_of_class:,} of the class (groups and copies count once), and {self.least:,} are "
                "needed to promise that recall on average."
            )
        if self.n_folds_without:
            text += f" In {counted(self.n_folds_without, 'folds')} none was found; their items are not scored with it."
        return text

    def to_json(self) -> dict[str, Any]:
        """The entry of metrics.json."""
        return {
            **to_json(self.threshold),
            "rule": self.rule,
            "chosen_on": self.chosen_on,
            "n_items": self.n_items,
            "n_of_class": self.n_of_class,
            "least": self.least,
            "n_folds_without": self.n_folds_without,
            "scores": {name: score.to_json() for name, score in self.scores.items()},
        }


def to_json(threshold: Threshold) -> dict[str, Any]:
    """The entry of head.json."""
    return {"class": threshold.name, "value": threshold.value}


def threshold_in(head: Mapping[str, Any]) -> Threshold | None:
    """The threshold of a run; None if its answers are the usual ones.

    Args:
        head: the content of its head.json.

    Raises:
        ValueError: it is no class of the run, or no probability.
    """
    if head.get(KEY) is None:
        return None
    found = _threshold(head[KEY])
    if found.name not in head["classes"] or not 0 <= found.value <= 1:
        raise ValueError(f"threshold must be a probability of one of the classes, got {head[KEY]}")
    return found


def answers_by(threshold: Threshold, outputs: np.ndarray, targets: Targets) -> list[str | None]:
    """What a run answers by its threshold; None for an item without outputs.

    Args:
        threshold: of the run.
        outputs: probabilities of shape (N, C), NaN for an item that could not be read.
        targets: the task with its classes.
    """
    known = ~np.isnan(outputs).any(axis=1)
    answers = threshold.answers(np.nan_to_num(outputs), targets)
    return [answer if is_known else None for answer, is_known in zip(answers, known, strict=True)]


def scores_of(
    targets: Targets, codes: np.ndarray, answers: np.ndarray, threshold: Threshold, units: Units
) -> dict[str, Interval]:
    """What answers give for the class of a threshold, and how many are right if an item has one class.

    Args:
        targets: the task with its classes.
        codes: labels of N items, as `Targets.encode` returns them.
        answers: as `Targets.decode` returns them, of shape (N,).
        threshold: by which they were given.
        units: of the items.
    """
    column, given, several = (
        targets.classes.index(threshold.name),
        targets.encode(answers),
        targets.task.many_per_item,
    )
    positive, called = (each[:, column] > 0 if several else each == column for each in (codes, given))
    point = operating_point(positive, called, units, threshold.value)
    found = {"recall": point.recall, "precision": point.precision, "false_alarms": point.false_alarms}
    if not several and len(codes):
        found["accuracy"] = mean_share((given == codes).astype(np.float64), units)
    return found


def _threshold(content: Mapping[str, Any]) -> Threshold:
    return Threshold(str(content["class"]), float(content["value"]))
