"""A fit whose head is not linear: the run, its program and its predictions; a training starts from a linear one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headstart
from gaussian_head import GAUSSIAN, score
from headstart.choose.kinds import KINDS, RIDGE
from headstart.errors import InputError
from headstart.runs import RunDirectory
from small_data import LETTERS, SETTINGS, digit_folder


@pytest.fixture
def gaussian_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """On every set of stages the head that is not linear has the least loss."""

    def least(*trial: Any) -> Any:
        tried = score(*trial)
        return None if tried is None else replace(tried, loss=-1.0)

    monkeypatch.delitem(KINDS, "logistic")
    monkeypatch.setitem(KINDS, GAUSSIAN.name, replace(GAUSSIAN, score=least))
    assert set(KINDS) == {RIDGE.name, GAUSSIAN.name}


def test_a_run_with_a_head_that_is_not_linear(gaussian_first: None, tmp_path: Path) -> None:
    data = digit_folder(tmp_path / "digits")
    run = headstart.fit(data, source=LETTERS, out=tmp_path / "run", store=tmp_path / "store", **SETTINGS)
    assert run.metrics["chosen"]["head"] == "gaussian"
    assert "trained a gaussian head on" in run.summary and run.metrics["test"]["accuracy"]["value"] > 0.5
    assert json.loads((run.path / "head.json").read_text())["task"] == "classification"
    kept = RunDirectory.open(run.path).predictions()
    files = {path.name: path for path in data.rglob("*.png")}
    again = headstart.predict(run.path, [files[Path(item).name] for item in kept.items])
    np.testing.assert_allclose(again.probabilities, kept.probabilities, atol=1e-4)
    assert list(again.predicted) == list(kept.predicted)
    with pytest.raises(InputError, match="is gaussian: only linear heads can be calibrated"):
        headstart.calibrate(run.path, data)


@pytest.mark.usefixtures("training_returned")
def test_training_starts_from_a_linear_head(gaussian_first: None, tmp_path: Path) -> None:
    data = digit_folder(tmp_path / "digits")
    run = headstart.fit(
        data, source=LETTERS, freeze="last:1", epochs=1, out=tmp_path / "run", store=tmp_path / "store",
        baseline=False, report=False, **SETTINGS,
    )  # fmt: skip
    chosen = run.metrics["chosen"]
    assert "last:1" in run.metrics["reason"] or chosen["policy"] == "last:1"
    assert chosen["head"] == ("linear" if chosen["policy"] == "last:1" else "gaussian")
