"""The advice of a ranking: one sentence, from the places alone."""

from __future__ import annotations

from headstart.runs.ranking import Ranked, RankingFacts
from headstart.units import agreeing, counted

_MUCH_CHEAPER = 1.5  # times as fast, so that it is worth a word


def advice(facts: RankingFacts) -> str:
    """What to start from, and why.

    Args:
        facts: of the ranking.
    """
    first, *others = facts.sources
    tied = facts.tied
    if _is_below(first):
        named = " and ".join(first.worse_than)
        return (
            f"None of the sources is better than {named}: transfer from them is likely to be negative. Try sources "
            "that were pretrained on data more like yours, or use the baseline."
        )
    if others and len(tied) == len(others):
        cheapest = min(facts.sources, key=_cost)
        return (
            f"These {counted(facts.n_items, 'items')} cannot tell the sources apart: take the fastest, "
            f"{cheapest.name}, or label more items and rank again."
        )
    if not tied:
        better = (
            "" if not others else f", clearly better than {agreeing(len(others), 'the other', 'all others')}"
        )
        return f"Start from {first.name}{better}."
    cheaper = min(tied, key=_cost)
    names = tied[0].name if len(tied) == 1 else f"{len(tied)} other sources"
    text = f"Start from {first.name}; {names} cannot be told apart from it"
    if _cost(first) > _MUCH_CHEAPER * _cost(cheaper):
        times = _cost(first) / _cost(cheaper)
        text += f", and {cheaper.name if len(tied) > 1 else 'it'} is {times:.1f} times as fast"
    return text + "."


def _is_below(first: Ranked) -> bool:
    return bool(first.worse_than)


def _cost(source: Ranked) -> float:
    return source.milliseconds if source.milliseconds else float("inf")
