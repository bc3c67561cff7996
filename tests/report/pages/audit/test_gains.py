"""Gains per number of labels with their verdicts, and differences from baselines and other sources."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from headstart.metrics import Interval
from headstart.report.pages.audit.gains import baselines_section, gains_section, others_section
from small_audits import SIZES, audit_report, compared, with_everything


def one(sections: Any) -> Any:
    (found,) = sections
    return found


def test_a_row_per_number_of_labels() -> None:
    found = one(gains_section(audit_report()))
    rows = found.content.chart.rows
    assert [row.name for row in rows] == [
        "20 labels",
        "37 labels",
        "70 labels",
        "130 labels",
        "all 244 labels",
    ]
    assert (rows[0].letter, rows[0].value, rows[0].interval) == (
        "against classical features", "+25.0 points", "+21.0 to +29.0"
    )  # fmt: skip
    assert found.content.badges == [("positive", "helps")] * 5 and found.content.needs == []
    assert found.deck == "Transfer helps with 20, 37, 70, 130 and 244 labels."


def test_verdicts_that_differ() -> None:
    report = audit_report(outcome="undecided")
    curves = report.audit.curves
    mixed = [compared(curves, SIZES[0], 0.04, "positive"), *report.audit.verdicts[1:]]
    found = one(gains_section(replace(report, audit=replace(report.audit, verdicts=mixed))))
    assert found.deck == "Transfer helps with 20 and is undecided with 37, 70, 130 and 244 labels."
    assert found.content.needs == [
        "With 37, 70, 130 and 244 labels: if the difference is what it seems, about 15 seeds would decide it "
        "(`--seeds 15`)."
    ]


def test_a_number_of_labels_without_a_baseline_is_left_out() -> None:
    report = audit_report()
    verdicts = [
        replace(report.audit.verdicts[0], gain=Interval(None), gains={}, against=""),
        *report.audit.verdicts[1:],
    ]
    report = replace(report, audit=replace(report.audit, verdicts=verdicts))
    assert len(one(gains_section(report)).content.chart.rows) == 4
    assert len(one(baselines_section(report)).content.table.rows) == 8


def test_each_baseline_and_which_was_chosen() -> None:
    content = one(baselines_section(audit_report())).content
    assert content.matrix.rows[0][:2] == ("classical features", "+25.0 (+21.0 to +29.0)*")
    assert content.matrix.rows[1][:2] == ("most frequent class", "+39.0 (+35.0 to +43.0)")
    assert content.table.rows[0] == ("classical features", "yes", "20", "+25.0", "+21.0 to +29.0", "59.0%")
    assert content.table.rows[1][1] == ""


def test_other_sources() -> None:
    content = one(others_section(with_everything())).content
    assert len(content.matrix.rows) == 2 and "*" not in "".join(content.matrix.rows[0])
    assert content.table.rows[0] == (
        "network_1.of_some_other_training", "network_0.of_some_training", "20", "+2.0", "+1.0 to +3.0", "0.003"
    )  # fmt: skip
    assert not list(others_section(audit_report()))
