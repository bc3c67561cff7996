"""The section on the methods that were tried: what selectors say without labels, and the truth beside it."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.pages.adapt.words import SELECTORS, gain_words, score_words, selector_words
from headstart.report.shell import Section, Table


def methods_section(report: AdaptReport) -> Iterator[Section]:
    """The section on methods."""
    found = report.found
    asked = list(dict.fromkeys(name for row in found.methods for name in row.scores))
    columns = [("Method", False), ("What it does", False)]
    columns += [(SELECTORS.get(name, name), True) for name in asked]
    columns.append(("Same answer as source only", True))
    if report.is_scored:
        columns += [(report.metric.label, True), ("Gain", True)]
    columns.append(("Seconds", True))
    rows = []
    for row in found.methods:
        cells = [f"{row.name} (returned)" if row.name == found.method else row.name, row.note or row.label]
        cells += [selector_words(row, name) for name in asked]
        cells.append("" if row.agreement is None else f"{100 * row.agreement:.0f}%")
        if report.is_scored:
            cells += [score_words(report, row), gain_words(report, row)]
        rows.append((*cells, f"{row.seconds:.2f}"))
    table = Table("Methods that were tried", tuple(columns), tuple(rows))
    yield Section("methods", "Methods", "audit/table.html.j2", table, found.reason)
