"""What trainings are compared with the head alone on, and what happens if that is too little."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import headstart
import small_data
from headstart.fitting.comparing import level_of, set_aside
from headstart.tune import Policy
from headstart.tune.race.comparison import ASKED, RACE

STAGES = ("stem", "layer1", "layer2")


def workspace(freeze: str, groups: np.ndarray | None, n_items: int) -> Any:
    """As much of a workspace as is needed to set items aside."""
    data = SimpleNamespace(
        strata=np.arange(n_items) % 3 % 2, examples=SimpleNamespace(groups=groups, group="speaker")
    )
    plan = SimpleNamespace(data=data, seed=0, policy=Policy.parse(freeze, STAGES))
    return SimpleNamespace(plan=plan, units=lambda positions: None if groups is None else groups[positions])


@pytest.mark.parametrize(("freeze", "share"), [("auto", 0.25), ("none", 0.15)])
def test_a_race_sets_more_aside(freeze: str, share: float) -> None:
    train, validation = set_aside(workspace(freeze, None, 400), np.arange(400))
    assert len(validation) == 400 * share and len(train) + len(validation) == 400


@pytest.mark.parametrize(
    ("freeze", "n_groups", "n_aside"), [("none", 40, 6), ("none", 12, 3), ("auto", 40, 10), ("auto", 12, 4)]
)
def test_enough_groups_are_set_aside_if_there_are_enough(freeze: str, n_groups: int, n_aside: int) -> None:
    groups = np.arange(240) // 2 % n_groups
    train, validation = set_aside(workspace(freeze, groups, 240), np.arange(240))
    inside, aside = set(groups[train]), set(groups[validation])
    assert len(aside) == n_aside and not inside & aside


def test_a_race_has_the_stricter_level() -> None:
    assert level_of(Policy.parse("auto", STAGES)) == RACE < ASKED == level_of(Policy.parse("last:1", STAGES))


@pytest.mark.parametrize("freeze", ["auto", "last:1"])
def test_groups_of_which_none_can_be_set_aside_keep_the_head_alone(freeze: str, tmp_path: Path) -> None:
    run = fitted(freeze, 2, tmp_path)
    reason = run.metrics["reason"]
    assert run.metrics["chosen"]["policy"] == "all" and run.metrics["n_validation"] == 0
    assert "there is 1 group among the validation items, and it takes" in reason
    assert "To compare, pass a validation part with more groups, or another --group." in reason


@pytest.mark.parametrize(("freeze", "n_least"), [("auto", 4), ("last:1", 3)])
def test_too_few_groups_keep_the_head_alone_before_anything_is_trained(
    freeze: str, n_least: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("a training was prepared")

    monkeypatch.setattr("headstart.fitting.workspace.Workspace.training", never)
    monkeypatch.setattr("headstart.fitting.race.timed_item", lambda *_: (0.001, ""))
    run = fitted(freeze, 4, tmp_path)
    reason = run.metrics["reason"]
    assert run.metrics["chosen"]["policy"] == "all" and run.metrics["n_validation"] == 0
    assert f"among the validation items, and it takes {n_least}" in reason
    assert "pass a validation part with more groups, or another --group" in reason


def fitted(freeze: str, n_writers: int, folder: Path) -> Any:
    """A run on digits of some writers."""
    table = small_data.digit_table(folder)
    rows = table.read_text().splitlines()
    writers = [f"w{at % n_writers}" for at in range(len(rows) - 1)]
    table.write_text("\n".join(f"{row},{one}" for row, one in zip(rows, ["writer", *writers])) + "\n")
    return headstart.fit(
        table, small_data.LETTERS, out=folder / "x", freeze=freeze, group="writer", store=str(folder / "store"),
        baseline=False, report=False, budget="20s" if freeze == "auto" else None, **small_data.SETTINGS,
    )  # fmt: skip


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_head_is_learned_from_one_patient_and_measured_on_another(task: str, tmp_path: Path) -> None:
    """Two patients that hold both classes: nothing is left to choose by, and nothing shows how much scores vary."""
    files = sorted(small_data.digit_folder(tmp_path / "files").rglob("*.png"))
    labels = [path.parent.name.removeprefix("digit ") for path in files]
    rows = [f"{path},{label},w{at % 2}\n" for at, (path, label) in enumerate(zip(files, labels))]
    run = headstart.fit(
        small_data.write(tmp_path / "d.csv", "file,label,who\n" + "".join(rows)),
        small_data.LETTERS, out=tmp_path / "x", group="who", store=str(tmp_path / "store"), task=task,
        **small_data.SETTINGS,
    )  # fmt: skip
    assert run.metrics["chosen"]["head_stages"] == [run.metrics["source"]["stages"][-1]]
    assert run.metrics["reason"].startswith("One group of training items leaves nothing to choose by")
    score = run.metrics["test"]["accuracy" if task == "classification" else "rmse"]
    assert score["low"] is None and score["why"] == "1 independent unit, 3 are needed for an interval"
    assert "no interval: 1 independent group, 3 are needed" in (run.path / "report.html").read_text()
