"""Which sources can be told apart from the first, and what they cost beside what they give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headstart.choose.scores import SCORES
from headstart.choose.scores.combined import DEFAULT
from headstart.metrics.interval import decimals
from headstart.report.charts import CostCandidate, Costs, Gaps, costs, gaps
from headstart.report.pages.rank.report import RankReport
from headstart.report.pages.rank.result import kind
from headstart.report.pages.rank.words import milliseconds, value
from headstart.report.shell import Section, Table
from headstart.report.words import interval, is_percent, listed, lowered
from headstart.units import agreeing, counted

CLEARLY_FASTER = 1.1


@dataclass(frozen=True)
class Apart:
    """The differences from the first source."""

    first: str
    metric: str
    chart: Gaps
    has_intervals: bool


def apart_section(report: RankReport) -> Iterator[Section]:
    """The section on paired differences, if there is something to compare with."""
    others = [each for each in report.ranking.ranked if each is not report.first]
    if not others:
        return
    rows = [
        (report.names[each.name], report.letters[each.name], each.difference, kind(report, each))
        for each in others
    ]
    known = any(each.difference.low is not None for each in others)
    unit = f"{lowered(report.label)}, in points" if is_percent(report.metric) else lowered(report.label)
    content = Apart(report.names[report.first.name], unit, gaps(rows, report.metric), known)
    yield Section(
        "apart",
        "Which can be told apart",
        "rank/apart.html.j2",
        content,
        _apart_takeaway(report, known),
        "Told apart",
    )


def _apart_takeaway(report: RankReport, known: bool) -> str:
    first, tied = report.names[report.first.name], [report.names[each.name] for each in report.ranking.tied]
    n_others = len(report.ranking.sources) - 1
    if not known:
        return "There are too few independent items to tell any two apart."
    if not n_others:
        return f"{first} beside the baselines."
    if not tied:
        return (
            f"{first} is clearly better than {agreeing(n_others, 'the other source', 'every other source')}."
        )
    names = listed(tied) if len(tied) <= 4 else f"{len(tied)} of {counted(n_others, 'other sources')}"
    clear = [
        report.names[each.name] for each in report.ranking.sources[1:] if report.names[each.name] not in tied
    ]
    beaten = clear[0] if len(clear) == 1 else f"the other {len(clear)}"
    rest = f" It is clearly better than {beaten}." if clear else ""
    return f"{names} cannot be told apart from {first}.{rest}"


@dataclass(frozen=True)
class Cost:
    """Cost against the predicted result."""

    metric: str
    item: str
    chart: Costs
    table: Table


def price_section(report: RankReport) -> Iterator[Section]:
    """The section on cost against the predicted result, if costs were measured."""
    ranked, names, letters = report.ranking.ranked, report.names, report.letters
    item = report.counted(1).removeprefix("1 ")
    chart = costs(
        [
            CostCandidate(
                letters[each.name], names[each.name], each.milliseconds, each.predicted, kind(report, each)
            )
            for each in ranked
        ],
        report.metric,
        f"ms per {item}",
    )
    if chart is None:
        return
    columns = (
        ("", False),
        ("Source", False),
        (f"ms per {item}", True),
        (report.label, True),
        ("95% interval", True),
    )
    rows = tuple(
        (
            letters[each.name],
            names[each.name],
            milliseconds(each),
            value(report, each),
            interval(each.predicted, report.metric) or "none",
        )
        for each in ranked
    )
    content = Cost(lowered(report.label), item, chart, Table("Cost and predicted result", columns, rows))
    yield Section("price", "Cost and result", "rank/price.html.j2", content, _price_takeaway(report))


def _price_takeaway(report: RankReport) -> str:
    """The fastest of the sources that cannot be told apart from the first."""
    first = report.first
    level = [each for each in (first, *report.ranking.tied) if each.milliseconds]
    if len(level) < 2 or not first.milliseconds:
        return ""
    fastest = min(level, key=lambda each: each.cost)
    name, slower = report.names[fastest.name], first.cost / fastest.cost
    if fastest is first or slower < CLEARLY_FASTER:
        return f"None of those that cannot be told apart is clearly faster than {report.names[first.name]}."
    return (
        f"Of those that cannot be told apart, {name} is the fastest: {slower:.1f} times as fast as the first."
    )


def scores_section(report: RankReport) -> Iterator[Section]:
    """The section on transferability scores, if there are any."""
    sources = [each for each in report.ranking.sources if each.scores]
    keys = list(dict.fromkeys(key for each in sources for key in each.scores))
    if not keys:
        return
    columns = (("Source", False), *((SCORES[key].label if key in SCORES else key, True) for key in keys))
    rows = tuple(
        (report.names[each.name], *(_score(each.scores.get(key)) for key in keys)) for each in sources
    )
    yield Section(
        "scores",
        "Transferability scores",
        "rank/scores.html.j2",
        Table("Transferability scores", columns, rows),
        "Computed from the features that the best head reads, before anything is trained. Larger is better; compare "
        "down a column, not across. Sources that cannot be told apart stand in the order of "
        f"{listed([SCORES[name].label for name in DEFAULT])} together, or of earlier runs if a note says so.",
    )


def _score(found: float | None) -> str:
    return "" if found is None else decimals(found).replace("-", "−")
