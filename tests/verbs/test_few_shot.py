"""A few labels per class: the contrastive stage learns from all of them; with more labels validation decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headstart
import small_data
from headstart.errors import OptionError
from small_data import LETTERS, SETTINGS

FEW: dict[str, Any] = {**SETTINGS, "baseline": False, "report": False, "freeze": "none", "recipe": "few-shot"}


def test_all_labels_are_learned_from(tmp_path: Path) -> None:
    run = headstart.fit(
        small_data.digit_table(tmp_path), LETTERS, out=tmp_path / "run", store=str(tmp_path / "store"), **FEW
    )
    metrics = run.metrics
    assert metrics["n_validation"] == 0 and metrics["n_train"] + metrics["n_test"] == 42
    assert metrics["chosen"]["policy"] == "none"
    assert metrics["test"]["accuracy"]["value"] > 0.5
    assert (run.path / "model.pt2").exists()


@pytest.mark.usefixtures("training_returned")
def test_labels_enough_to_set_some_aside_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headstart.tune.objectives.contrastive.FEW", 2)
    run = headstart.fit(
        small_data.digit_table(tmp_path), LETTERS, out=tmp_path / "run", store=str(tmp_path / "store"), **FEW
    )
    assert run.metrics["n_validation"] > 0


def test_auto_has_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="pass --freeze none"):
        headstart.fit(
            small_data.digit_table(tmp_path),
            LETTERS,
            out=tmp_path / "run",
            **{**FEW, "freeze": "auto"},
            budget="1m",
        )


def test_what_the_source_knows_already_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headstart.tune.objectives.contrastive.KNOWN", 0.0)
    run = headstart.fit(
        small_data.digit_table(tmp_path), LETTERS, out=tmp_path / "run", store=str(tmp_path / "store"), **FEW
    )
    assert run.metrics["chosen"]["policy"] == "all" and run.metrics["n_validation"] == 0
    assert {row["fate"] for row in run.metrics["stages"]} == {"frozen", "trained"}


def test_naming_the_frequent_class_is_not_knowing(tmp_path: Path) -> None:
    from headstart.clock import Clock
    from headstart.features import Setting
    from headstart.fitting import head_alone
    from headstart.fitting.options import fit_options
    from headstart.fitting.workspace import Workspace
    from plans import read_and_plan

    table = small_data.digit_table(tmp_path)
    plan = read_and_plan(fit_options(data=str(table), source=LETTERS, **FEW), Clock())
    workspace = Workspace(plan, Setting.choose("cpu", "fp32", 1), tmp_path / "store", Clock())
    train = plan.data.positions("train")
    choice = head_alone.choose(workspace, train)
    known = head_alone.known_already(workspace, choice)
    assert 0.5 < known <= 1.0
    always = np.zeros_like(choice.out_of_fold)
    always[:, 0] = 1.0
    always_one = replace(choice, out_of_fold=always)
    assert head_alone.known_already(workspace, always_one) == pytest.approx(1 / len(workspace.classes))
