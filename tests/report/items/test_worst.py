"""The items that were answered most wrongly come first, whatever the task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart.report.items.report import HeldOut, MeasuredReport
from headstart.report.items.worst import Wrong, worst_section, wrong_items
from headstart.runs import DataFacts, Record, RunFacts
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


def test_the_worst_file_can_be_explained() -> None:
    """By its path if it lies in the data folder, else with the other items; a run without a program explains none."""
    found = held_out(CLASSIFICATION, ("x", "y"), list("xy"), [[0.9, 0.1], [0.6, 0.4]])
    in_folder = replace(found, items=[Path("my photos/row 0"), Path("my photos/row 1")])
    commands = []
    arrays = replace(found, items=[np.zeros((8, 8), np.uint8)] * 2)
    for data, items, extra in (
        ("my photos", in_folder, {}),
        ("a.npz", arrays, {}),
        ("DataFrame in memory", arrays, {}),
        ("a.csv", found, {}),
        ("a.csv", found, {"exported": False}),
    ):
        facts = DataFacts(data, "", "image", "label", {"test": 2})
        record = Record("evaluate", data=facts, task="classification", n_test=2, extra=extra)
        report = MeasuredReport(record, RunFacts("runs/a", classes=("x", "y")), items)
        commands += [section.content.command for section in worst_section(report)]
    assert commands == [
        "headstart explain runs/a 'my photos/row 1'",
        "headstart explain runs/a a.npz",
        "",
        "headstart explain runs/a a.csv",
        "",
    ]
