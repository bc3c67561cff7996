"""The first section: the advice, the table of sources with the baselines, what to know before trusting it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.report.charts import Scale, Tick, Whisker, whisker
from headstart.report.pages.rank.notices import notices
from headstart.report.pages.rank.report import RankReport
from headstart.report.pages.rank.words import (
    depth,
    may_be_first,
    megabytes,
    milliseconds,
    places,
    sentence,
    upstream,
    value,
    why_this_order,
)
from headstart.report.shell import Notice, Section
from headstart.report.words import interval, lowered
from headstart.runs.ranking import Ranked

RANDOM = ", random weights"  # ends the name of that baseline


@dataclass(frozen=True)
class Row:
    """One source or baseline."""

    letter: str
    name: str
    full: str
    note: str
    whole_note: str
    places: str
    badge: str
    kind: str
    mark: Whisker
    value: str
    interval: str
    depth: str
    stages: str
    milliseconds: str
    megabytes: str


@dataclass(frozen=True)
class Result:
    """What the first section shows."""

    advice: Sequence[tuple[str, bool]]
    sentence: str
    metric: str
    item: str
    rows: Sequence[Row]
    ticks: Sequence[Tick]
    why_this_order: str
    next_command: str
    notices: Sequence[Notice]


def result_section(report: RankReport) -> Section:
    """The first section of the page."""
    scale = Scale.of_scores((each.predicted for each in report.ranking.ranked), report.metric)
    content = Result(
        list(report.names.parts(report.ranking.advice)),
        sentence(report),
        lowered(report.label),
        report.counted(1).removeprefix("1 "),
        [_row(report, each, scale) for each in report.ranking.ranked],
        scale.ticks,
        why_this_order(report),
        report.next_command,
        notices(report),
    )
    return Section("result", "Ranking", "rank/result.html.j2", content)


def _row(report: RankReport, ranked: Ranked, scale: Scale) -> Row:
    of_source = ranked.role == "source"
    return Row(
        report.letters[ranked.name],
        report.names[ranked.name],
        ranked.name,
        upstream(ranked) if of_source else _baseline_note(report, ranked),
        (ranked.upstream or "") if of_source else ranked.name,
        places(ranked),
        "may be first" if of_source and may_be_first(ranked) and ranked is not report.first else "",
        kind(report, ranked),
        whisker(ranked.predicted, scale),
        value(report, ranked),
        interval(ranked.predicted, report.metric),
        depth(ranked),
        ", ".join(ranked.stages),
        milliseconds(ranked),
        megabytes(ranked),
    )


def _baseline_note(report: RankReport, ranked: Ranked) -> str:
    """What a baseline is, in a few words."""
    if ranked.role == "classical":
        return "baseline: no network"
    return f"baseline: the network of {report.names[ranked.name.removesuffix(RANDOM)]}, nothing learned"


def kind(report: RankReport, ranked: Ranked) -> str:
    """The class that gives its colour: "first", "tied" with the first, "baseline" or ""."""
    if ranked.role != "source":
        return "baseline"
    if ranked is report.first:
        return "first"
    return "tied" if any(each is ranked for each in report.ranking.tied) else ""
