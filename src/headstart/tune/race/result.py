"""What a race chose, and the evidence: one row per candidate, the rule of the choice, and the reason in a sentence.

A candidate may be chosen if it is better than the head alone by the rule of comparison.py, and its accuracy on
validation is not below that of the network from scratch, if that was run. The network from scratch may be
chosen if no other may, and its accuracy is above that of the head alone. Among those that may be chosen, the
one with the smallest log loss is chosen: accuracy on a few dozen validation items comes in steps of points, and
the log loss of the same items, after temperature scaling, tells good candidates apart much earlier.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from headstart.tune.race.candidate_run import CandidateRun
from headstart.tune.race.comparison import LEAST_ERRORS, ValidationItems
from headstart.tune.race.study import Outcome
from headstart.tune.training.result import Trained


@dataclass(frozen=True)
class CandidateResult:
    """One candidate of a race, as evidence.

    Attributes:
        policy: what was frozen; "all" is the head alone.
        outcome: how it ended.
        why: the same in a sentence: why it was not tried, failed or was put aside, or how it compares with the head
            alone.
        epochs: epochs it was planned with, fewer than the recipe's if the budget asked for it.
        seconds: time spent on it.
        accuracy: on validation (for labels and quantities, the quality that `score` gives).
        log_loss: on validation, after temperature scaling (for quantities, the loss).
        difference: its accuracy minus that of the head alone.
        standard_error: of that difference, paired.
        better: whether it passed the rule; one that was put aside may have.
        name: its name in tables: the policy, and the rate if it is not the usual one.
        rate_factor: what the recipe's rates were multiplied by.
        from_scratch: whether it started from random weights.
        reached: epochs it ran.
        rungs: validation loss after each rung it reached, by epoch.
        chosen: whether it is the result.
    """

    policy: str
    outcome: Outcome
    why: str
    epochs: int = 0
    seconds: float = 0.0
    accuracy: float | None = None
    log_loss: float | None = None
    difference: float | None = None
    standard_error: float | None = None
    better: bool = False
    name: str = ""
    rate_factor: float = 1.0
    from_scratch: bool = False
    reached: int = 0
    rungs: tuple[tuple[int, float], ...] = ()
    chosen: bool = False

    @property
    def tried(self) -> bool:
        """Whether it was trained at all."""
        return self.outcome not in (Outcome.NO_TIME, Outcome.REFUSED)

    def to_json(self) -> dict[str, Any]:
        """The row as metrics.json keeps it; `rate` and `fresh` are its older names of two fields."""
        row = asdict(self)
        rate, from_scratch = row.pop("rate_factor"), row.pop("from_scratch")
        return {**row, "outcome": str(self.outcome), "tried": self.tried, "rate": rate, "fresh": from_scratch}


@dataclass(frozen=True, eq=False)
class RaceResult:
    """The choice of a race, and its candidates.

    Attributes:
        chosen: the policy; "all" is the head alone.
        trained: the winner's result; None for the head alone.
        candidates: every candidate that was considered, the head alone first.
        reason: the choice in a sentence.
        refitted: whether the result was trained on validation items too, after the choice.
        from_scratch: the network from random weights, if it was trained to its end.
        averaged: whether the result is an average of several candidates.
    """

    chosen: str
    trained: Trained | None
    candidates: tuple[CandidateResult, ...]
    reason: str
    refitted: bool = False
    from_scratch: Trained | None = None
    averaged: bool = False


def head_alone(validation: ValidationItems) -> CandidateResult:
    """The head alone as a row."""
    return CandidateResult(
        "all",
        Outcome.HEAD_ALONE,
        "the head alone, the reference",
        accuracy=validation.head_alone.quality,
        log_loss=validation.head_alone.loss,
        name="all",
    )


def result_of(run: CandidateRun, validation: ValidationItems) -> CandidateResult:
    """A candidate's run as a row."""
    candidate, facts, reached = run.candidate, run.facts, run.reached
    row = CandidateResult(
        candidate.policy.text,
        facts.outcome or (Outcome.PUT_ASIDE if reached else Outcome.NO_TIME),
        facts.why,
        epochs=facts.epochs,
        seconds=facts.seconds,
        name=run.name,
        rate_factor=candidate.rate_factor,
        from_scratch=candidate.from_scratch,
    )
    if not reached:
        return row
    found, score, last_epoch = validation.compare(run.logits), run.score, facts.last_epoch or reached
    outcome, why = row.outcome, row.why
    if facts.outcome is None and run.is_done:
        outcome, why = Outcome.BETTER if found.better else Outcome.NOT_BETTER, found.words
    elif facts.outcome is None:
        why = f"{found.words}. Put aside after {last_epoch} of {facts.epochs} epochs."
    return replace(
        row,
        outcome=outcome,
        why=why,
        accuracy=score.quality,
        log_loss=score.loss,
        difference=found.quality,
        standard_error=found.quality_error,
        better=found.better and not run.is_out,
        reached=last_epoch,
        rungs=tuple(run.losses.items()),
    )


def best_of(results: Sequence[CandidateResult]) -> CandidateResult | None:
    """The row to choose by the rule above; None: the head alone is kept.

    Args:
        results: the head alone first.
    """
    scored = [
        (r, r.accuracy, r.log_loss) for r in results if r.accuracy is not None and r.log_loss is not None
    ]
    scratch = [(r, quality) for r, quality, _ in scored if r.from_scratch]
    floor = max((quality for _, quality in scratch), default=-math.inf)
    passed = [(r, loss) for r, quality, loss in scored if r.better and r.reached >= 1 and quality >= floor]
    if passed:
        return min(passed, key=lambda each: each[1])[0]
    above = [r for r, quality in scratch if quality > (results[0].accuracy or 0.0)]
    return above[0] if above else None


def head_alone_kept(
    results: Sequence[CandidateResult], validation: ValidationItems, from_scratch: Trained | None
) -> RaceResult:
    """The result of a race that no candidate won.

    Args:
        results: the head alone first.
        validation: what they were compared on.
        from_scratch: the network from random weights, if it was trained to its end.
    """
    n_tried = sum(result.tried for result in results) - 1
    why = "no candidate could be tried within the budget"
    if n_tried:
        why = f"none of {n_tried} tried passes"
    elif not validation.has_room:
        why = (
            f"it makes fewer than {LEAST_ERRORS} errors on the validation items, too few to show that a "
            "training is better"
        )
    rows = (replace(results[0], chosen=True), *results[1:])
    return RaceResult("all", None, rows, f"the head alone is kept: {why}", from_scratch=from_scratch)


def won_by(
    winner: CandidateResult, results: Sequence[CandidateResult], trained: Trained, how: str
) -> RaceResult:
    """The result of a race that a candidate won.

    Args:
        winner: its row.
        results: all rows, the head alone first.
        trained: the result that is returned.
        how: how it was made after the choice, in words.
    """
    rows = tuple(replace(result, chosen=result.name == winner.name) for result in results)
    above = "" if winner.better else ", but above it on validation"
    return RaceResult(winner.policy, trained, rows, f"{winner.name}: {winner.why}{above}; {how}")
