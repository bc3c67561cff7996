"""`Decision`: the threshold by which a run answers, and what it gives on items that it has not learned from.

Legend: N items, C classes or labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.errors import shortened
from headstart.evidence.threshold_rule import ThresholdRule
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
_TEXTS = ("rule", "chosen_on")
_COUNTS = ("n_items", "n_of_class", "least")
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
    def by(cls, rule: ThresholdRule, value: float, chosen_on: str, n_items: int, n_of_class: int) -> Decision:
        """A decision that was not measured yet.

        Args:
            rule: by which it was chosen; one of costs needs no items, so it names none.
            value: the threshold.
            chosen_on: which items it was chosen on, in words.
            n_items: how many of them there are.
            n_of_class: how many of the class; groups and copies count once.
        """
        threshold = Threshold(rule.name, value)
        if rule.goal == "cost":
            return cls(threshold, rule.text, "", 0, 0, 0)
        return cls(threshold, rule.text, chosen_on, n_items, n_of_class, rule.least_items)

    @classmethod
    def of(cls, record: Record) -> Decision | None:
        """The decision of a run; None if its answers are the usual ones.

        Args:
            record: of the run.

        Raises:
            ValueError: the record is damaged.
        """
        content = record.extra.get(KEY)
        if content is None:
            return None
        threshold, scores = _threshold(content), content.get("scores")
        for name in _TEXTS:
            _require(isinstance(content.get(name), str), f"'{name}' must be a text", content)
        for name in _COUNTS:
            _require(_is_count(content.get(name)), f"'{name}' must be a whole number of at least 0", content)
        are_scores = isinstance(scores, Mapping) and all(
            isinstance(each, Mapping) for each in scores.values()
        )
        _require(are_scores and set(scores) <= set(SCORES), "'scores' must be scores by name", content)
        ThresholdRule.parse(f"{threshold.name}:{content['rule']}")
        found = {name: Interval.of(score) for name, score in scores.items()}
        known = {name: content[name] for name in (*_TEXTS, *_COUNTS)}
        return cls(threshold, **known, scores=found, n_folds_without=int(content.get("n_folds_without", 0)))

    @property
    def words(self) -> str:
        """What the run answers, in a sentence."""
        chosen = f" on {self.n_items:,} {self.chosen_on}" if self.n_items else ""
        text = (
            f"An item is called “{self.threshold.name}” if the probability of that is {self.threshold.value:.3g} or "
            f"more, chosen for {self.rule.replace('=', ' ')}{chosen}."
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
    check_class(found, head["classes"])
    return found


def check_class(threshold: Threshold, classes: Sequence[str]) -> None:
    """Refuse a threshold of a class that a run does not have.

    Args:
        threshold: that was read from a file of the run.
        classes: of the run.

    Raises:
        ValueError: the run has no such class.
    """
    if threshold.name not in classes:
        raise ValueError(f"the threshold is of {threshold.name!r}, which is none of the run's classes")


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
    given = targets.encode(answers)
    positive, called = (targets.has(each, threshold.name) for each in (codes, given))
    point = operating_point(positive, called, units, threshold.value)
    found = {"recall": point.recall, "precision": point.precision, "false_alarms": point.false_alarms}
    if targets.task.one_per_item and len(codes):
        found["accuracy"] = mean_share((given == codes).astype(np.float64), units)
    return found


def _threshold(content: Any) -> Threshold:
    """Read a threshold; a ValueError says what is wrong with it."""
    _require(isinstance(content, Mapping), "it must hold values by name", content)
    name, value = content.get("class"), content.get("value")
    is_share = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    _require(isinstance(name, str), "'class' must be a text", content)
    _require(is_share, "'value' must be a probability", content)
    return Threshold(name, float(value))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _require(is_right: bool, rule: str, content: Any) -> None:
    if not is_right:
        raise ValueError(f"the threshold is damaged, {rule}: {shortened(repr(content))}")
