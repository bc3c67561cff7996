"""What came of an adaptation, in one sentence."""

from __future__ import annotations

from headstart.adapting.choosing import Decision
from headstart.adapting.truth import Truth
from headstart.runs.adaptation import SOURCE_ONLY


def sentence(names: tuple[str, str], decision: Decision, truth: Truth | None) -> str:
    """What came of it.

    Args:
        names: of the two domains, the labelled one first.
        decision: the method that is returned.
        truth: what labels of the target say; None without labels.
    """
    source, target = names
    chosen = decision.chosen
    done = "source only is returned" if chosen.name == SOURCE_ONLY else f"{chosen.label} is returned"
    start = f"From {source} to {target}: {done}"
    if truth is None:
        return f"{start}; {target} has no labels, so the gain cannot be measured."
    value, before = (scores["accuracy"].value or 0.0 for scores in (truth.test, truth.before))
    if chosen.name == SOURCE_ONLY:
        return f"{start}: {100 * value:.1f}% of the scored items are right."
    gain = truth.gains[chosen.name]
    ends = (
        "" if gain.low is None or gain.high is None else f" ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
    )
    points = f"{100 * (value - before):+.1f} points{ends}"
    return f"{start}: {100 * before:.1f}% right by source only, {100 * value:.1f}% now, {points}."
