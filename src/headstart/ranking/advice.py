"""The advice of a ranking: one sentence and one source, from what the intervals show."""

from __future__ import annotations

from dataclasses import replace

from headstart.runs.ranking import Ranked, RankingFacts
from headstart.units import counted

MUCH_FASTER = 1.5  # times as fast, so that it is worth a word


def advised(facts: RankingFacts) -> RankingFacts:
    """The ranking with its advice, and the source that it advises to fit.

    Args:
        facts: of the ranking.
    """
    source, text = _advice(facts)
    return replace(facts, advice=text, advised=source.name)


def _advice(facts: RankingFacts) -> tuple[Ranked, str]:
    first = facts.sources[0]
    baselines = [each.name for each in facts.ranked if each.role != "source"]
    beaten = [name for name in baselines if all(each.not_better_than.get(name) for each in facts.sources)]
    if beaten:
        return first, (
            f"Every source is clearly worse than {' and '.join(beaten)}: transfer from them is negative. Try sources "
            "that were pretrained on data more like yours, or use the baseline."
        )
    ahead = [name for name in baselines if all(name in each.not_better_than for each in facts.sources)]
    items = counted(facts.n_items, "items")
    if ahead:
        return first, (
            f"No source is better than {' and '.join(ahead)} on these {items}: label more items, or try sources that "
            "were pretrained on data more like yours, before you rely on one."
        )
    helped = [each for each in (first, *facts.tied) if not each.not_better_than] or [first]
    taken = helped[0]
    as_sure = [each for each in helped if not each.unclear or taken.unclear]
    fastest = min(as_sure, key=lambda each: each.cost)
    if facts.all_alike:
        much = taken.cost > MUCH_FASTER * fastest.cost
        which = f"take the fastest, {fastest.name}" if much else f"take {taken.name}"
        taken = fastest if much else taken
        alike = f"These {items} cannot tell the sources apart: {which}, or label more items and rank again."
        return taken, f"{alike}{_risk(taken)}"
    return taken, f"{_start_from(taken, facts, fastest)}{_risk(taken)}"


def _risk(taken: Ranked) -> str:
    """The baselines that the advised source is not clearly better than, with a space before them; "" if none."""
    ahead, alike = list(taken.not_better_than), list(taken.unclear)
    if ahead:
        return f" Transfer may be negative: it is not better than {' and '.join(ahead)}."
    if alike:
        names = " and ".join(alike)
        return f" {taken.name} is ahead of {names}, but not clearly."
    return ""


def _start_from(taken: Ranked, facts: RankingFacts, fastest: Ranked) -> str:
    """The sentence on a source that is better than others.

    Args:
        taken: the source.
        facts: of the ranking.
        fastest: of the sources that can be the best too and are better than the baselines.
    """
    others = [each for each in facts.sources if each is not taken]
    tied = [each for each in (facts.sources[0], *facts.tied) if each is not taken]
    if not others:
        return f"Start from {taken.name}."
    if not tied:
        beaten = others[0].name if len(others) == 1 else "all others"
        return f"Start from {taken.name}, clearly better than {beaten}."
    names = tied[0].name if len(tied) == 1 else f"{len(tied)} other sources"
    text = f"Start from {taken.name}; {names} cannot be told apart from it"
    if taken.cost > MUCH_FASTER * fastest.cost:
        which = "it" if len(tied) == 1 else fastest.name
        text += f", and {which} is {taken.cost / fastest.cost:.1f} times as fast"
    return text + "."
