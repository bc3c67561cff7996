"""The items that were answered most wrongly come first, whatever the task."""

from __future__ import annotations

import numpy as np

from headstart.report.items.report import HeldOut
from headstart.report.items.worst import Wrong, wrong_items
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION, Targets, Task


def _wrong(found: HeldOut, targets: Targets) -> list[Wrong]:
    return wrong_items(found, targets, targets.decode(found.outputs))


def held_out(task: Task, classes: tuple[str, ...], labels: list[str], outputs: list[list[float]]) -> HeldOut:
    codes = Targets(task, classes).encode(labels)
    names = [f"row {k}" for k in range(len(labels))]
    return HeldOut(names, names, labels, codes, np.array(outputs, dtype=np.float32))


def test_the_surest_wrong_class_comes_first() -> None:
    found = held_out(
        CLASSIFICATION, ("x", "y"), list("yyxx"), [[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7]]
    )
    wrong = _wrong(found, Targets(CLASSIFICATION, ("x", "y")))
    assert [(w.row, w.label, w.predicted) for w in wrong] == [(0, "y", "x"), (3, "x", "y"), (1, "y", "x")]
    assert wrong[0].probability == np.float32(0.9) and wrong[0].probability_of_label == np.float32(0.1)


def test_labels_that_are_all_right_are_left_out() -> None:
    classes = ("cat", "dog")
    found = held_out(MULTILABEL, classes, ["cat", "cat|dog", "-"], [[0.9, 0.1], [0.2, 0.9], [0.6, 0.1]])
    wrong = _wrong(found, Targets(MULTILABEL, classes))
    assert [(w.row, w.label, w.predicted) for w in wrong] == [(1, "cat|dog", "dog"), (2, "-", "cat")]
    assert wrong[0].probability is None


def test_values_that_are_furthest_off_come_first() -> None:
    found = held_out(REGRESSION, ("score",), ["1", "2.5", "3"], [[1.0], [2.0], [9.0]])
    wrong = _wrong(found, Targets(REGRESSION, ("score",)))
    assert [(w.row, w.label, w.predicted) for w in wrong] == [(2, "3", "9"), (1, "2.5", "2")]
