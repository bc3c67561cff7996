"""A new metric needs its number and its row in the catalogue: every file of a run then shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import headstart
from headstart.metrics import METRICS, Interval, Metric, class_metrics
from headstart.runs import RunDirectory
from small_data import LETTERS, SETTINGS, digit_folder


def test_every_file_of_a_run_shows_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def with_kappa(*arguments: Any, **how: Any) -> dict[str, Interval]:
        return {**class_metrics(*arguments, **how), "kappa": Interval(0.4321, 0.3, 0.5)}

    kappa = Metric(
        "kappa", "Agreement above chance", "1 is perfect", ("classification",), hub="kappa", in_summary=True
    )
    monkeypatch.setitem(METRICS, "kappa", kappa)
    monkeypatch.setattr("headstart.tasks.classification.class_metrics", with_kappa)
    data = digit_folder(tmp_path / "digits")
    run = headstart.fit(data, source=LETTERS, out=tmp_path / "run", store=tmp_path / "store", **SETTINGS)
    assert run.metrics["test"]["kappa"] == {"value": 0.4321, "low": 0.3, "high": 0.5}
    record = RunDirectory.open(run.path).record
    assert record.test is not None and record.test["kappa"] == Interval(0.4321, 0.3, 0.5)
    assert kappa.label in run.summary and kappa.label in run.report.read_text(encoding="utf-8")
    card = (run.path / "README.md").read_text(encoding="utf-8")
    assert "| Agreement above chance |" in card and "type: kappa" in card
