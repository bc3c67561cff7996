"""Scores, their change, and which of them can be compared; by hand."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.data.examples import Examples, string_array
from headstart.evaluating.scoring import Scored, changes, not_compared, outcome_of
from headstart.metrics import Interval
from headstart.tasks import MULTILABEL, REGRESSION


def examples(labels: list[str]) -> Examples:
    names = string_array(f"row {index}" for index in range(len(labels)))
    return Examples("text", [f"text {index}" for index in range(len(labels))], names, string_array(labels))


def answers(labels: list[str], classes: tuple[str, ...], sure: float = 0.8) -> np.ndarray:
    """Outputs that are right on every label that is a class, and say the first class of others."""
    outputs = np.full((len(labels), len(classes)), (1 - sure) / (len(classes) - 1), np.float32)
    for row, label in enumerate(labels):
        outputs[row, classes.index(label) if label in classes else 0] = sure
    return outputs


def test_unknown_classes_count_as_wrong_and_leave_the_log_loss_out_of_the_comparison() -> None:
    labels = ["a"] * 20 + ["b"] * 15 + ["c"] * 5
    scored = Scored.of(examples(labels), None, answers(labels, ("a", "b")), ("a", "b"), "classification")
    assert scored.targets.classes == ("a", "b", "c") and scored.unknown == {"c": 5}
    assert scored.scores["accuracy"].value == pytest.approx(35 / 40)
    known = scored.of_known("accuracy")
    assert known is not None and known.value == 1.0
    skipped = not_compared(scored, ["a", "b"])
    assert {"log_loss", "balanced_accuracy", "auroc"} <= skipped and "accuracy" not in skipped


def test_means_over_classes_are_compared_only_over_the_same_classes() -> None:
    labels = ["a"] * 20 + ["b"] * 20
    scored = Scored.of(
        examples(labels), None, answers(labels, ("a", "b", "c")), ("a", "b", "c"), "classification"
    )
    assert "balanced_accuracy" in not_compared(scored, ["a", "b", "c"])
    assert "balanced_accuracy" not in not_compared(scored, ["a", "b", "a"])
    assert "log_loss" not in not_compared(scored, ["a", "b", "c"])


def test_unknown_labels_of_several_are_not_scored() -> None:
    labels = ["a", "a|b", "b", "-"] * 10
    more = ["a|x" if label == "a" else label for label in labels]
    outputs = np.tile(np.array([[0.9, 0.1], [0.8, 0.7], [0.2, 0.9], [0.1, 0.1]], np.float32), (10, 1))
    plain, other = (
        Scored.of(examples(each), None, outputs, ("a", "b"), MULTILABEL.name) for each in (labels, more)
    )
    assert other.unknown == {"x": 10} and other.has_known_label.sum() == 30
    assert other.scores["log_loss"] == plain.scores["log_loss"]


def test_a_quantity() -> None:
    values = [f"{value:.2f}" for value in np.linspace(0, 1, 30)]
    outputs = np.linspace(0, 1, 30)[:, None] + 0.1
    scored = Scored.of(examples(values), None, outputs, ("height",), REGRESSION.name)
    assert scored.scores["rmse"].value == pytest.approx(0.1, abs=0.01) and not scored.unknown
    assert not_compared(scored, values) == set()


def test_changes_and_outcomes() -> None:
    new, own = {"accuracy": Interval(0.6, 0.55, 0.65)}, {"accuracy": Interval(0.9, 0.85, 0.94)}
    found = changes(new, own, 400, 200)["accuracy"]
    assert found.value == pytest.approx(-0.3) and outcome_of("accuracy", found) == "worse"
    assert outcome_of("accuracy", changes(own, new, 400, 200)["accuracy"]) == "better"
    assert outcome_of("log_loss", Interval(0.2, 0.1, 0.3)) == "worse"
    assert outcome_of("accuracy", changes(new, own, 400, 9)["accuracy"]) == "undecided"
    assert changes(new, own, 400, 200, {"accuracy"}) == {} and outcome_of("accuracy", None) == ""
