"""The depth profiles side by side: one small chart per source, all on one scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headstart.metrics import Interval
from headstart.report.charts import Depth, Scale, depth
from headstart.report.pages.rank.report import RankReport
from headstart.report.pages.rank.result import kind
from headstart.report.pages.rank.words import cut as cut_words
from headstart.report.pages.rank.words import depth as depth_words
from headstart.report.shell import Section, Table
from headstart.report.words import lowered
from headstart.runs.ranking import Ranked


@dataclass(frozen=True)
class Small:
    """The profile of one source."""

    letter: str
    kind: str
    name: str
    reads: str
    trained: str
    chart: Depth


@dataclass(frozen=True)
class Depths:
    """The profiles of all sources."""

    metric: str
    charts: Sequence[Small]
    table: Table


def depths_section(report: RankReport) -> Iterator[Section]:
    """The section, if a source has stages to compare."""
    sources = [each for each in report.ranking.sources if len(each.profile) > 1]
    if not sources:
        return
    profiles = [_profile(each) for each in sources]
    scale = Scale.of_scores((score for profile in profiles for _, score in profile), report.metric)
    charts = [
        Small(
            report.letters[each.name],
            kind(report, each),
            report.names[each.name],
            depth_words(each),
            cut_words(each),
            depth(profile, each.stages, report.metric, scale),
        )
        for each, profile in zip(sources, profiles, strict=True)
    ]
    columns = (
        ("Source", False),
        ("Stage", False),
        (report.label, True),
        ("95% interval", True),
        ("Read by the head", False),
    )
    rows = tuple(
        (small.name, dot.stage, dot.value, dot.interval or "none", "yes" if dot.chosen else "")
        for small in charts
        for dot in small.chart.dots
    )
    content = Depths(lowered(report.label), charts, Table("Depth profiles", columns, rows))
    yield Section("depth", "Depth profiles", "rank/depths.html.j2", content, _takeaway(sources))


def _profile(ranked: Ranked) -> list[tuple[str, Interval]]:
    """A score per stage; ends that are not known are left out."""
    return [
        (point.stage, Interval.of({"value": point.score, "low": point.low, "high": point.high}))
        for point in ranked.profile
    ]


def _takeaway(sources: Sequence[Ranked]) -> str:
    early = [each for each in sources if each.stages and each.profile[-1].stage not in each.stages]
    n_all = len(sources)
    if not early:
        whose = "the only source" if n_all == 1 else "every source"
        return f"The best head of {whose} reads the last stage, the usual choice."
    n_early = "the only source" if n_all == 1 else f"{len(early)} of {n_all} sources"
    return f"The best head of {n_early} does not read the last stage, which is the usual choice, but earlier ones."
