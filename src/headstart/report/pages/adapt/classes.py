"""The section on gains and losses per class, where labels of the target are known; else on what is answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headstart.report.charts import Moves, moves
from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.shell import Section, Table
from headstart.report.words import listed, number, points
from headstart.runs.adaptation import ClassRow
from headstart.units import counted

MOST_DRAWN = 20  # classes; of more, those with the largest changes are drawn
_NAMED = 3  # classes that a sentence names


@dataclass(frozen=True)
class Classes:
    """Gains and losses per class."""

    method: str
    chart: Moves
    n_left_out: int
    table: Table


def classes_section(report: AdaptReport) -> Iterator[Section]:
    """The section on classes, if labels are known and something was changed."""
    known = [
        row
        for row in report.found.classes
        if row.n_items and row.before is not None and row.after is not None
    ]
    if not known or not report.is_adapted:
        return
    shown = known
    if len(known) > MOST_DRAWN:
        shown = sorted(known, key=lambda row: -abs(_change(row)))[:MOST_DRAWN]
    content = Classes(
        report.found.method,
        moves([_drawn(report, row) for row in shown]),
        len(known) - len(shown),
        _table(report),
    )
    yield Section(
        "classes", "Gains and losses per class", "adapt/classes.html.j2", content, _takeaway(known), "Classes"
    )


def _right(row: ClassRow) -> tuple[float, float]:
    """Shares of its items that are answered right, before and after."""
    n_items = row.n_items or 1
    return (row.before or 0) / n_items, (row.after or 0) / n_items


def _change(row: ClassRow) -> int:
    return (row.after or 0) - (row.before or 0)


def _signed(count: int) -> str:
    return f"{count:+,d}".replace("-", "−") if count else "0"


def _drawn(report: AdaptReport, row: ClassRow) -> tuple[str, str, float, float, str, str]:
    before, after = _right(row)
    change = points(after - before)
    items = report.counted(row.n_items or 0)
    text = f"{row.name}, {items}: {number(before)} right before, {number(after)} after ({change})"
    return row.name, items, before, after, change.split(" ")[0], text


def _takeaway(rows: list[ClassRow]) -> str:
    """Which classes gain and lose most, in items."""
    gained = sorted((row for row in rows if _change(row) > 0), key=_change, reverse=True)
    lost = sorted((row for row in rows if _change(row) < 0), key=_change)
    if not gained and not lost:
        return "No class has more or fewer right answers than before."
    found = []
    for some, word in ((gained, "more"), (lost, "fewer")):
        if some:
            named = [f"{row.name} ({_signed(_change(row))})" for row in some[:_NAMED]]
            kinds = counted(len(some), "classes")
            verb = "has" if len(some) == 1 else "have"
            most = f"{listed(named)}" if len(some) <= _NAMED else f"most of all {listed(named)}"
            found.append(f"{kinds} {verb} {word} right answers than before: {most}")
    return f"{'; '.join(found)}, in items."


def _table(report: AdaptReport) -> Table:
    columns = (
        ("Class", False),
        ("Items", True),
        ("Right before", True),
        ("Right after", True),
        ("Change in items", True),
        ("Share before", True),
        ("Share after", True),
    )
    rows = []
    for row in report.found.classes:
        if not row.n_items:
            rows.append((row.name, "0", "", "", "", "", ""))
            continue
        before, after = _right(row)
        counts = (f"{row.n_items:,}", f"{row.before:,}", f"{row.after:,}", _signed(_change(row)))
        rows.append((row.name, *counts, number(before), number(after)))
    return Table("Gains and losses per class", columns, tuple(rows))
