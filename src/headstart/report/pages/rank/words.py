"""What a ranking says in words and cells, the same on the terminal and on the page."""

from __future__ import annotations

from headstart.report.pages.rank.report import RankReport
from headstart.report.words import interval, lowered, number
from headstart.runs.ranking import Ranked, RankingFacts
from headstart.units import agreeing, counted

BASELINES = {"classical": "classical features", "random": "random weights"}


def sentence(report: RankReport) -> str:
    """What was done, in one sentence."""
    ranking, n_sources = report.ranking, len(report.ranking.sources)
    return (
        f"Ranked {counted(n_sources, 'sources')} for {report.data.name}, by the {lowered(report.label)} of the head "
        f"alone, cross-validated on {report.counted(ranking.n_items)}."
    )


def titles(report: RankReport) -> tuple[str, ...]:
    """The titles of the columns."""
    unit = report.counted(1).removeprefix("1 ")
    return ("place", "source", lowered(report.label), "95% interval", "best depth", f"ms per {unit}", "MB")


def cells(report: RankReport, ranked: Ranked) -> tuple[str, ...]:
    """One source or baseline as a text per column."""
    metric = report.ranking.metric
    return (
        places(ranked),
        ranked.name,
        number(ranked.predicted.value, metric),
        interval(ranked.predicted, metric),
        depth(ranked),
        "" if ranked.milliseconds is None else f"{ranked.milliseconds:.1f}",
        "" if ranked.megabytes is None else f"{ranked.megabytes:,.0f}",
    )


def places(ranked: Ranked) -> str:
    """The places it can have: "1" or "2 to 4"."""
    first, last = ranked.places
    return str(first) if first == last else f"{first} to {last}"


def depth(ranked: Ranked) -> str:
    """Where the best head reads: a stage, or all of them."""
    stages = ranked.stages
    if len(stages) < 2:
        return "".join(stages)
    every = len(stages) == len(ranked.profile)
    return f"all {len(stages)} stages" if every else " + ".join(stages)


def warnings(report: RankReport) -> list[str]:
    """What a reader must know before trusting the order."""
    ranking = report.ranking
    found = [f"{name} is not ranked: {why}" for name, why in ranking.failed.items()]
    for each in ranking.sources:
        if each.worse_than:
            clear = any(each.worse_than.values())
            found.append(
                f"{each.name} is {'clearly worse' if clear else 'not better'} than {' and '.join(each.worse_than)}: "
                "negative transfer is likely."
            )
    found += _unclear(ranking)
    for each in ranking.sources:
        if each.same_as:
            are = agreeing(len(each.same_as), "gives", "give")
            found.append(f"{', '.join(each.same_as)} {are} the same features as {each.name}: scored once.")
    return [*found, *ranking.notes]


def _unclear(ranking: RankingFacts) -> list[str]:
    """One sentence per baseline, on the sources that are better than it but not clearly."""
    found = []
    for baseline in (each for each in ranking.ranked if each.role != "source"):
        names = [each.name for each in ranking.sources if baseline.name in each.unclear]
        if names:
            are = agreeing(len(names), "is", "are")
            found.append(
                f"{', '.join(names)} {are} not clearly better than {baseline.name} on these "
                f"{counted(ranking.n_items, 'items')}."
            )
    return found
