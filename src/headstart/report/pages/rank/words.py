"""What a ranking says in words, the same on the terminal and on the page."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import combinations

from headstart.metrics import metric_named
from headstart.report.pages.rank.report import RankReport
from headstart.report.words import listed, lowered, number
from headstart.runs.ranking import Ranked
from headstart.units import counted

UPSTREAM_CHARACTERS = 60
DEPTH_CHARACTERS = 20


def sentence(report: RankReport) -> str:
    """What was done, in one sentence."""
    ranking, n_sources = report.ranking, len(report.ranking.sources)
    return (
        f"Ranked {counted(n_sources, 'sources')} for {report.data.name}, by the {lowered(report.label)} of the head "
        f"alone, cross-validated on {report.counted(ranking.n_items)}."
    )


def why_this_order(report: RankReport) -> str:
    """Why a row stands above one whose predicted result is better as read, in a sentence; "" if none does."""
    sign = 1 if metric_named(report.metric).better == "higher" else -1
    pairs = [
        {upper.role, lower.role}
        for upper, lower in combinations(report.ranking.ranked, 2)
        if sign * float(lower.predicted) > sign * float(upper.predicted)
        and value(report, lower) != value(report, upper)
    ]
    reasons = []
    if {"source"} in pairs:
        reasons.append("sources that cannot be told apart stand in the order of their scores")
    if any(roles != {"source"} for roles in pairs):
        reasons.append(
            "a baseline stands after the last source that is ahead of it item by item, before predictions are "
            "corrected for the choice of the head and for the place"
        )
    return f"The order is not that of the predicted numbers: {'; '.join(reasons)}." if reasons else ""


def places(ranked: Ranked) -> str:
    """The places it can have: "1" or "2 to 4"."""
    first, last = ranked.places
    return str(first) if first == last else f"{first} to {last}"


def depth(ranked: Ranked) -> str:
    """Where the best head reads: a stage, a few, or how many of them; "" without stages."""
    stages = ranked.stages
    if len(stages) < 2:
        return "".join(stages)
    joined, n_all = " + ".join(stages), len(ranked.profile)
    if len(stages) == n_all:
        return f"all {n_all} stages"
    return joined if len(joined) <= DEPTH_CHARACTERS else f"{len(stages)} of {n_all} stages"


def cut(ranked: Ranked) -> str:
    """What to freeze if the network is trained; "" if it is unknown."""
    if ranked.advised_cut is None:
        return ""
    if not ranked.advised_cut:
        return "nothing frozen"
    return f"first {ranked.advised_cut} of {counted(len(ranked.profile), 'stages')} frozen"


def value(report: RankReport, ranked: Ranked) -> str:
    """The predicted result as read."""
    return number(ranked.predicted.value, report.metric)


def milliseconds(ranked: Ranked) -> str:
    """Milliseconds per item as read; "" if they were not measured."""
    return "" if ranked.milliseconds is None else f"{ranked.milliseconds:,.1f}"


def megabytes(ranked: Ranked) -> str:
    """Megabytes of weights as read; "" if there are none."""
    return "" if ranked.megabytes is None else f"{ranked.megabytes:,.1f}"


def upstream(ranked: Ranked) -> str:
    """What it was pretrained on, short; "" if it is unknown."""
    short = textwrap.shorten(
        ranked.upstream or "", UPSTREAM_CHARACTERS, placeholder=" …", break_on_hyphens=False
    )
    return f"{short})" if short.count("(") > short.count(")") else short


def may_be_first(ranked: Ranked) -> bool:
    """Whether no other row is clearly better."""
    return ranked.places[0] == 1


def shown(names: Sequence[str], most: int = 6) -> str:
    """Names as a list in a sentence: of more than `most` the first ones, and how many more."""
    if len(names) <= most:
        return listed(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
