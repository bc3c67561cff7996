"""Every metric here and on the run's own held-out items."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.metrics import metric_named
from headstart.report.pages.evaluate.report import EvaluateReport
from headstart.report.shell import Section, Table
from headstart.report.words import difference, lowered, number, points


def changes_section(report: EvaluateReport) -> Iterator[Section]:
    """The section, if the run has a score of its own."""
    keys = [key for key in report.found.change if report.change(key) is not None]
    if not keys:
        return
    columns = (
        ("Metric", False),
        ("Here", True),
        ("Its own", True),
        ("Change", True),
        ("95% interval", True),
    )
    rows = []
    for key in keys:
        here, own, change = report.score(key), report.own(key), report.change(key)
        assert here is not None and own is not None and change is not None
        metric = metric_named(key)
        lower = " (lower is better)" if metric.better == "lower" else ""
        rows.append(
            (
                f"{metric.label}{lower}",
                number(here.value, key),
                number(own.value, key),
                points(float(change), key),
                difference(change, key) or "none",
            )
        )
    table = Table("Scores here and on the run's own held-out items", columns, tuple(rows))
    deck = (
        f"The verdict is on {lowered(metric_named(report.found.metric).label)}; one of 20 such "
        "intervals misses by chance. Metrics that depend on the shares of the classes change with them, although the "
        "run does not."
    )
    yield Section("changes", "Here and on its own items", "items/table.html.j2", table, deck, "Changes")
