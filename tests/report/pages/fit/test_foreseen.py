"""The risk that was foreseen, in the report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from headstart.metrics import Interval
from headstart.report import render
from headstart.report.pages.fit import FitReport
from headstart.report.pages.fit.foreseen import foreseen_notice


def with_foreseen(
    report: FitReport, outcome: str, difference: Interval, head_alone: float = 0.735
) -> FitReport:
    found: dict[str, Any] = {
        "head_alone": head_alone,
        "classical": 0.886,
        "difference": difference.to_json(),
        "outcome": outcome,
        "n_items": 429,
    }
    return replace(report, record=replace(report.record, extra={**report.record.extra, "foreseen": found}))


def test_the_notice(samples: dict[str, FitReport]) -> None:
    report = with_foreseen(samples["audio"], "worse", Interval(-0.15, -0.2, -0.1))
    (notice,) = foreseen_notice(report)
    assert notice.severity == "warning" and notice.title.endswith("is likely to be negative")
    assert "accuracy 73.5% and 88.6% by cross-validation on 429 training items" in notice.text
    assert "−20.0 to −10.0" in notice.text and notice.title in render(report)
    (note,) = foreseen_notice(with_foreseen(samples["audio"], "undecided", Interval(-0.15, why="2 groups")))
    assert note.severity == "note" and "no interval: 2 groups" in note.text
    assert not list(foreseen_notice(with_foreseen(samples["audio"], "better", Interval(0.1, 0.05, 0.2))))
    assert not list(foreseen_notice(samples["audio"]))


def test_a_head_that_is_ahead_but_not_clearly_is_not_said_to_be_no_help(
    samples: dict[str, FitReport],
) -> None:
    report = with_foreseen(samples["audio"], "undecided", Interval(0.02, -0.01, 0.05), head_alone=0.906)
    (note,) = foreseen_notice(report)
    assert note.severity == "note" and "may not help" not in note.title
    assert "the chosen head on its features is ahead of classical features" in note.text
    assert ", but not clearly: accuracy 90.6% and 88.6%" in note.text
    (note,) = foreseen_notice(with_foreseen(samples["audio"], "undecided", Interval(-0.15, -0.4, 0.1)))
    assert note.title.endswith("may not help") and "cannot be told apart from" in note.text
