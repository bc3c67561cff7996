"""Every metric before and after the correction."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.metrics import metric_named
from headstart.report.pages.calibrate.report import CalibrateReport
from headstart.report.pages.calibrate.words import answers_words
from headstart.report.shell import Section, Table
from headstart.report.words import difference, interval, number, points


def scores_section(report: CalibrateReport) -> Iterator[Section]:
    """The section."""
    columns = (
        ("Metric", False),
        ("Before", True),
        ("95% interval", True),
        ("After", True),
        ("95% interval", True),
        ("Change", True),
        ("95% interval", True),
    )
    rows = []
    for key in report.found.after:
        before, after, change = report.before(key), report.score(key), report.change(key)
        if before is None or after is None:
            continue
        metric = metric_named(key)
        lower = " (lower is better)" if metric.better == "lower" else ""
        rows.append(
            (
                f"{metric.label}{lower}",
                number(before.value, key),
                interval(before, key) or "none",
                number(after.value, key),
                interval(after, key) or "none",
                "" if change is None else points(float(change), key),
                "" if change is None else difference(change, key) or "none",
            )
        )
    table = Table("Scores before and after the correction", columns, tuple(rows))
    yield Section(
        "scores", "Before and after", "items/table.html.j2", table, answers_words(report.found), "Scores"
    )
