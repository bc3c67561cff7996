"""The advice of a ranking: one sentence, from the places alone."""

from __future__ import annotations

from dataclasses import replace

from headstart.runs.ranking import Ranked, RankingFacts
from headstart.units import counted

_MUCH_CHEAPER = 1.5  # times as fast, so that it is worth a word


def advised(facts: RankingFacts) -> RankingFacts:
    """The ranking with its advice, and the source that it advises to fit.

    Args:
        facts: of the ranking.
    """
    first, *others = facts.sources
    alike = others and len(facts.tied) == len(others) and not first.worse_than
    source = min(facts.sources, key=_cost) if alike else first
    return replace(facts, advice=_advice(facts), advised=source.name)


def _advice(facts: RankingFacts) -> str:
    """What to start from, and why."""
    first, *others = facts.sources
    clearly_worse = [name for name, clear in first.worse_than.items() if clear]
    if clearly_worse:
        return (
            f"Every source is worse than {' and '.join(clearly_worse)}, the first one clearly: transfer from them is "
            "negative. Try sources that were pretrained on data more like yours, or use the baseline."
        )
    if first.worse_than:
        return (
            f"No source is better than {' and '.join(first.worse_than)} on these {counted(facts.n_items, 'items')}: "
            "label more items, or try sources that were pretrained on data more like yours, before you rely on one."
        )
    tied = facts.tied
    if others and len(tied) == len(others):
        fastest = min(facts.sources, key=_cost)
        return (
            f"These {counted(facts.n_items, 'items')} cannot tell the sources apart: take the fastest, "
            f"{fastest.name}, or label more items and rank again."
        )
    return _start_from(first, others, tied)


def _start_from(first: Ranked, others: list[Ranked], tied: list[Ranked]) -> str:
    if not tied:
        better = {0: "", 1: f", clearly better than {others[0].name}" if others else ""}
        return f"Start from {first.name}{better.get(len(others), ', clearly better than all others')}."
    names = tied[0].name if len(tied) == 1 else f"{len(tied)} other sources"
    text = f"Start from {first.name}; {names} cannot be told apart from it"
    fastest = min(tied, key=_cost)
    if _cost(first) > _MUCH_CHEAPER * _cost(fastest):
        which = "it" if len(tied) == 1 else fastest.name
        text += f", and {which} is {_cost(first) / _cost(fastest):.1f} times as fast"
    return text + "."


def _cost(source: Ranked) -> float:
    return source.milliseconds if source.milliseconds else float("inf")
