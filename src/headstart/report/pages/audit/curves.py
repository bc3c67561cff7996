"""The learning curves: drawn, and every point in a table that sorts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headstart.report.charts import Learned, LearningCurves, learning_curves
from headstart.report.pages.audit.report import AuditReport
from headstart.report.pages.audit.words import took
from headstart.report.shell import Section, Table
from headstart.report.terminal import cut
from headstart.report.words import interval, lowered, number
from headstart.runs.audit import Curve, Point
from headstart.units import counted

LABEL = 21  # characters beside a curve


@dataclass(frozen=True)
class Curves:
    """The learning curves of all methods."""

    metric: str
    lower_is_better: bool
    n_seeds: str
    has_intervals: bool
    has_fit: bool
    chart: LearningCurves
    table: Table


def curves_section(report: AuditReport) -> Iterator[Section]:
    """The section with the learning curves, if anything was measured."""
    audit = report.audit
    chart = learning_curves([_drawn(report, each) for each in audit.curves], audit.metric)
    if chart is None:
        return
    content = Curves(
        report.metric.label,
        report.metric.better == "lower",
        counted(audit.n_seeds, "seeds"),
        any(point.score.low is not None for each in audit.curves for point in each.points),
        any(each.fitted for each in audit.curves),
        chart,
        _table(report),
    )
    yield Section("curves", "Learning curves", "audit/curves.html.j2", content, _takeaway(report))


def _drawn(report: AuditReport, curve: Curve) -> Learned:
    fitted = curve.fitted
    places = (
        () if fitted is None else zip(fitted.n_labels, fitted.value, fitted.low, fitted.high, strict=True)
    )
    return Learned(
        report.letters[curve.name],
        report.names[curve.name],
        cut(report.names[curve.name], LABEL),
        report.kinds[curve.name],
        [(point.n_labels, point.score, _said(report, curve, point)) for point in curve.points],
        tuple(places),
    )


def _said(report: AuditReport, curve: Curve, point: Point) -> str:
    """What the tooltip of a point says."""
    key, ends = report.audit.metric, interval(point.score, report.audit.metric)
    return (
        f"{report.names[curve.name]}, {counted(point.n_labels, 'labels')}: {number(point.score.value, key)}"
        f"{f' ({ends})' if ends else ''}, {counted(point.n_seeds, 'seeds')}, {took(point.seconds)}"
    )


def _table(report: AuditReport) -> Table:
    key = report.audit.metric
    columns = (
        ("Method", False),
        ("Labels", True),
        (report.metric.label, True),
        ("95% interval", True),
        ("On training folds", True),
        ("Seeds", True),
        ("Seconds", True),
    )
    quality = report.task.quality_name()
    rows = tuple(
        (
            report.names[curve.name],
            f"{point.n_labels:,}",
            number(point.score.value, key),
            interval(point.score, key) or "none",
            "" if point.on_folds is None else number(point.on_folds, quality),
            str(point.n_seeds),
            f"{point.seconds:.3g}",
        )
        for curve in report.audit.curves
        for point in curve.points
    )
    return Table("All points of the learning curves", columns, rows)


def _takeaway(report: AuditReport) -> str:
    """What transfer reaches with the fewest and with the most labels."""
    points, key = report.audit.transfer.points, report.audit.metric
    first, last = points[0], points[-1]
    label, first_score = lowered(report.metric.label), number(first.score.value, key)
    reached = f"Transfer reaches {first_score} {label} with {counted(first.n_labels, 'labels')}"
    if first is last:
        return f"{reached}."
    return f"{reached} and {number(last.score.value, key)} with {last.n_labels:,}."
