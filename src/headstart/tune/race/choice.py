"""What a race chose, and from what.

A candidate may be taken where it is better than the head alone by the rule of `compare`, and its accuracy on
validation is not below that of scratch, where that was run; scratch too, where nothing else may and its accuracy is
above that of the head alone. Of those, the one of least log loss is taken:
accuracy on a few dozen validation items comes in steps of points, and their log loss, after temperature
scaling, tells good candidates apart much earlier.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from headstart.tune.race.runner import Judge, Runner
from headstart.tune.training.result import Trained


@dataclass(frozen=True)
class Candidate:
    """One way of training in the race, as evidence.

    Attributes:
        policy: what was frozen; "all" is the head alone.
        tried: whether it was trained at all.
        why: why it was not tried, failed or was put aside, or how it compares with the head alone.
        epochs: epochs it was planned for, fewer than the recipe's where the budget asked for it.
        seconds: time spent on it.
        accuracy: on validation (for labels and quantities, the quality that `score` gives).
        log_loss: on validation, after temperature scaling (for quantities, the loss).
        difference: its accuracy less that of the head alone.
        standard_error: of that difference, paired.
        better: whether it passed the rule.
        name: what it is called: the policy, and the rate where it is another than usual.
        rate: what the recipe's rates were multiplied by.
        fresh: whether it started from weights of chance.
        reached: epochs it ran.
        rungs: validation loss after each rung it reached, by epoch.
        chosen: whether it is the result.
    """

    policy: str
    tried: bool
    why: str
    epochs: int = 0
    seconds: float = 0.0
    accuracy: float | None = None
    log_loss: float | None = None
    difference: float | None = None
    standard_error: float | None = None
    better: bool = False
    name: str = ""
    rate: float = 1.0
    fresh: bool = False
    reached: int = 0
    rungs: tuple[tuple[int, float], ...] = ()
    chosen: bool = False

    def to_json(self) -> dict[str, Any]:
        """The fields as a dictionary that JSON can hold."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class AutoChoice:
    """What `auto` chose, and from what.

    Attributes:
        chosen: the policy; "all" is the head alone.
        trained: its result; None for the head alone.
        candidates: all that were considered, the head alone first.
        reason: the choice in a sentence.
        refitted: whether the result was trained on validation items too, after the choice.
        scratch: the network from weights of chance, where it was trained to its end.
        averaged: whether the result is an average of several candidates.
    """

    chosen: str
    trained: Trained | None
    candidates: tuple[Candidate, ...]
    reason: str
    refitted: bool = False
    scratch: Trained | None = None
    averaged: bool = False


def reference(judge: Judge) -> Candidate:
    """The head alone as a candidate."""
    alone = judge.alone
    return Candidate(
        "all",
        True,
        "the head alone, the reference",
        accuracy=alone.quality,
        log_loss=alone.loss,
        name="all",
    )


def candidate_of(judge: Judge, runner: Runner) -> Candidate:
    """A runner as evidence."""
    entrant, facts = runner.entrant, runner.facts
    made = Candidate(
        entrant.policy.text,
        runner.reached > 0,
        str(facts.get("why", "")),
        epochs=int(facts.get("epochs", 0)),
        seconds=float(facts.get("seconds", 0.0)),
        name=runner.name,
        rate=entrant.rate,
        fresh=entrant.fresh,
    )
    if not runner.reached:
        return replace(made, tried=made.why.startswith("failed"))
    found, score = judge.compare(runner.logits), runner.score
    aside = (
        ""
        if runner.is_done
        else f" Put aside after {facts.get('run', runner.reached)} of {made.epochs} epochs."
    )
    return replace(
        made,
        why=made.why or f"{found.words}{'.' if aside else ''}{aside}",
        accuracy=score.quality,
        log_loss=score.loss,
        difference=found.quality,
        standard_error=found.quality_error,
        better=found.better and not runner.is_out,
        reached=int(facts.get("run", runner.reached)),
        rungs=tuple(runner.losses.items()),
    )


def best_of(candidates: list[Candidate]) -> Candidate | None:
    """The candidate of least loss that passed and is not below scratch; else scratch, where the head alone is.

    Args:
        candidates: the head alone first.
    """
    scored = [
        (c, c.accuracy, c.log_loss) for c in candidates if c.accuracy is not None and c.log_loss is not None
    ]
    scratch = [(c, quality) for c, quality, _ in scored if c.fresh]
    floor = max((quality for _, quality in scratch), default=-math.inf)
    passed = [(c, loss) for c, quality, loss in scored if c.better and c.reached >= 1 and quality >= floor]
    if passed:
        return min(passed, key=lambda each: each[1])[0]
    above = [c for c, quality in scratch if quality > (candidates[0].accuracy or 0.0)]
    return above[0] if above else None
