"""The result of an evaluation in plain words."""

from __future__ import annotations

from headstart.metrics import Interval, metric_named
from headstart.report.words import difference, interval, lowered, number, points
from headstart.runs.evaluation import Outcome


def sentence(
    name: str, metric: str, score: Interval, own: Interval | None, change: Interval | None, outcome: Outcome
) -> str:
    """What the run reaches on new items, and whether that differs from its own score.

    Args:
        name: of the data.
        metric: key of the metric.
        score: on the new items.
        own: of the run; None if it has none.
        change: the first minus the second.
        outcome: whether it does better or worse.
    """
    label, ends = lowered(metric_named(metric).label), interval(score, metric)
    found = f"{label} {number(score.value, metric)}{f' ({ends})' if ends else ''}"
    if own is None or change is None or own.value is None or change.value is None:
        return f"On {name} the run reaches {found}."
    theirs = number(own.value, metric)
    if change.low is None:
        return f"On {name} the run reaches {found}; its own score is {theirs}, and too little is known to compare them."
    between = difference(change, metric)
    by = f"a change of {points(change.value, metric)}{f' ({between})' if between else ''}"
    if outcome in ("better", "worse"):
        return f"On {name} the run does {outcome} than on its own held-out items: {found} against {theirs}, {by}."
    return f"On {name} the run reaches {found}. That cannot be told apart from its own {theirs}: {by}."
