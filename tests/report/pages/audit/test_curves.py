"""The learning curves: one line and one row per point, with what a tooltip says."""

from __future__ import annotations

from typing import Any

from headstart.report.pages.audit import AuditReport
from headstart.report.pages.audit.curves import curves_section
from small_audits import audit_report, with_everything


def section(report: AuditReport) -> Any:
    (found,) = curves_section(report)
    return found


def test_a_line_per_method_with_its_own_class() -> None:
    lines = section(with_everything()).content.chart.lines
    assert [line.kind for line in lines] == [
        "transfer", "source-0", "source-1", "random", "classical", "majority", "scratch"
    ]  # fmt: skip
    assert [bool(line.fitted) for line in lines] == [True] * 5 + [False, True]
    assert lines[1].name == "network_1.of_some_other_training" and len(lines[1].short) <= 21


def test_a_tooltip_has_score_interval_seeds_and_seconds() -> None:
    transfer = section(audit_report()).content.chart.lines[0]
    assert transfer.dots[0].text == "transfer, 20 labels: 85.0% (79.0 to 91.0%), 5 seeds, 1.0 s"


def test_a_row_per_point() -> None:
    found = section(audit_report())
    rows = found.content.table.rows
    assert len(rows) == 15 and rows[0] == ("transfer", "20", "85.0%", "79.0 to 91.0%", "84.0%", "5", "1")
    assert found.deck == "Transfer reaches 85.0% accuracy with 20 labels and 95.0% with 244."
    assert found.content.has_fit
