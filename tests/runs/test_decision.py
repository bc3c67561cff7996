"""A threshold in the files of a run is read back, or refused with the name of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headstart.errors import InputError
from headstart.metrics import Interval
from headstart.runs import RunDirectory
from headstart.runs.decision import Decision
from headstart.runs.model_files import answers_in, decision_in
from headstart.tasks.threshold import Threshold
from tiny import write_json

CLASSES = ("a", "b")
DECISION = Decision(
    Threshold("a", 0.25), "recall=0.9", "labelled items", 40, 12, 9, {"recall": Interval(0.9, 0.7, 0.97)}
)
GOOD = DECISION.to_json()


def run_with(folder: Path, threshold: Any) -> RunDirectory:
    record = {"format_version": 1, "kind": "adapt", "task": "classification", "n_train": 9, "n_test": 9}
    record |= {"data": None, "chosen": None, "seconds": {}}
    write_json(folder / "metrics.json", {**record, "threshold": threshold})
    return RunDirectory(folder)


def test_it_is_read_back(tmp_path: Path) -> None:
    assert decision_in(run_with(tmp_path, GOOD), CLASSES) == DECISION
    assert decision_in(run_with(tmp_path, None), CLASSES) is None


@pytest.mark.parametrize(
    "damaged",
    [
        "a",
        [0.5],
        {},
        {**GOOD, "class": "c"},
        {**GOOD, "class": ["a"]},
        {**GOOD, "value": "0.5"},
        {**GOOD, "value": 2},
        {**GOOD, "rule": "recall=7"},
        {**GOOD, "rule": 5},
        {**GOOD, "n_items": None},
        {**GOOD, "least": -1},
        {**GOOD, "scores": [1]},
        {**GOOD, "scores": {"recall": "x"}},
        {**GOOD, "scores": {"recall": {"value": [], "low": "x"}}},
    ],
    ids=str,
)
def test_metrics_json_with_a_damaged_threshold_is_refused(tmp_path: Path, damaged: Any) -> None:
    with pytest.raises(
        InputError, match=r"metrics\.json is damaged .*: copy the run again, or make the run again$"
    ):
        decision_in(run_with(tmp_path, damaged), CLASSES)


@pytest.mark.parametrize(
    "damaged",
    [
        "a",
        [0.5],
        5,
        {"class": "a"},
        {"value": 0.5},
        {"class": "a", "value": True},
        {"class": "c", "value": 0.5},
    ],
    ids=str,
)
def test_head_json_with_a_damaged_threshold_is_refused(tmp_path: Path, damaged: Any) -> None:
    write_json(tmp_path / "metrics.json", {"format_version": 1})
    write_json(
        tmp_path / "head.json", {"classes": list(CLASSES), "task": "classification", "threshold": damaged}
    )
    with pytest.raises(InputError, match=r"head\.json .*: copy the run again, or make the run again$"):
        answers_in(tmp_path / "head.json")
