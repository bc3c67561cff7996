"""The partial-transfer curve, drawn and in words: where it is highest, and whether the later stages do harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headstart.metrics import Interval
from headstart.report.charts import Depth, depth
from headstart.report.pages.rank.report import RankReport
from headstart.report.shell import Notice, Section, Table
from headstart.report.words import number


def partial_notice(report: RankReport) -> Iterator[Notice]:
    """What the curve of the first source shows; nothing if it was not asked for."""
    found = report.ranking.partial
    if found is None:
        return
    metric = report.ranking.metric
    points = [(point.stage, number(point.score, metric)) for point in found.points]
    n_stages, whole, (stage, best) = len(points) - 1, points[-1][1], points[found.best]
    if found.best == n_stages:
        what = f"The result of the last stage is best ({best}) if every stage is pretrained."
    else:
        kept = f"the stages up to {stage} are" if found.best else "none of the stages is"
        what = (
            f"The result of the last stage is best ({best}) if {kept} pretrained; the whole source ({whole}) "
            + (
                "is clearly below that: what its later stages have learned does harm here."
                if found.negative
                else "cannot be told apart from that."
            )
        )
    listed = ", ".join(f"{name} {score}" for name, score in points)
    yield Notice(
        "warning" if found.negative else "note",
        f"Partial transfer of {report.names[found.source]}",
        f"{what} Score by the last pretrained stage, where all later ones are random: {listed}.",
    )


@dataclass(frozen=True)
class Curve:
    """The partial-transfer curve of one source."""

    metric: str
    source: str
    chart: Depth
    table: Table


def partial_section(report: RankReport) -> Iterator[Section]:
    """The section with the curve, if it was asked for."""
    found = report.ranking.partial
    if found is None:
        return
    scores = [
        (point.stage, Interval.of({"value": point.score, "low": point.low, "high": point.high}))
        for point in found.points
    ]
    chart = depth(scores, (found.points[found.best].stage,), report.metric)
    columns = (
        ("Last pretrained stage", False),
        (report.label, True),
        ("95% interval", True),
        ("Best", False),
    )
    rows = tuple(
        (dot.stage, dot.value, dot.interval or "none", "yes" if dot.chosen else "") for dot in chart.dots
    )
    content = Curve(report.label, report.names[found.source], chart, Table("Partial transfer", columns, rows))
    deck = (
        "The later stages do harm here: the curve falls clearly after its best point."
        if found.negative
        else "No stage does harm that these items can show."
    )
    yield Section("partial", "Partial transfer", "rank/partial.html.j2", content, deck)
