"""The result of an adaptation, in one sentence: "Adapting from books to kitchen helps: …"."""

from __future__ import annotations

from headstart.metrics import Interval, metric_named
from headstart.report.words import difference, lowered, number, points
from headstart.runs.adaptation import SOURCE_ONLY, AdaptationFacts

_VERBS = {"positive": "helps", "negative": "hurts", "undecided": "makes no clear difference"}


def sentence(facts: AdaptationFacts, outcome: str | None) -> str:
    """Return the result in one sentence.

    Args:
        facts: of the adaptation; their own sentence is not read.
        outcome: of the verdict against source only; None without labels of the target.

    Returns:
        What adapting does, a colon, and the numbers. The method has no place in it: its label can be long, and
        the sentence on why it was returned names it.
    """
    source, target = facts.names
    row, alone = facts.returned, facts.source_only
    start = f"Adapting from {source} to {target}"
    metric = lowered(metric_named(facts.metric).label)
    if row.name == SOURCE_ONLY:
        if outcome is None:
            return f"{start} changes nothing: source only is kept. {_not_scored(target)}"
        return f"{start} changes nothing: source only is kept, {_reached(metric, alone.truth, facts.metric)}."
    if outcome is None:
        return f"{start} cannot be scored: the adapted classifier is returned. {_not_scored(target)}"
    gain = row.gain or Interval(None)
    ends = difference(gain, facts.metric)
    by = "" if gain.value is None else f": {points(gain.value, facts.metric)}"
    between = f" (95% interval {ends})" if ends else ""
    return (
        f"{start} {_VERBS[outcome]}: {_reached(metric, row.truth, facts.metric)} adapted, and "
        f"{number(None if alone.truth is None else alone.truth.value, facts.metric)} with source only{by}{between}."
    )


def _reached(metric: str, score: Interval | None, key: str) -> str:
    return f"{metric} is {number(None if score is None else score.value, key)}"


def _not_scored(target: str) -> str:
    return f"{target} has no labels of the source's classes, so the gain cannot be measured."
