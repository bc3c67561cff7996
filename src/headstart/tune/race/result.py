"""What a race chose, and the evidence: one row per candidate, the rule of the choice, and the reason in a sentence.

A candidate may be chosen if it is better than the head alone by the rule of comparison.py; the network from scratch
is a candidate like the others. Among those that may be chosen, the one with the smallest log loss is chosen: accuracy
on a few dozen validation items comes in steps of points, and the log loss of the same items, after temperature
scaling, tells good candidates apart much earlier. The gain of the chosen one is the best of many on these items, so
it is reported as selected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from headstart.progress import say
from headstart.tune.race.candidate_run import CandidateRun
from headstart.tune.race.comparison import Bound, ValidationItems
from headstart.tune.race.study import Outcome
from headstart.tune.training.result import Trained
from headstart.units import counted


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
        bound: standard errors by which the best of all looks is ahead by chance (see comparison.py).
        looks: what was compared on validation in the whole race: the epochs of all candidates.
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
    bound: float | None = None
    looks: int | None = None
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
        transferred: if the network from scratch was chosen, the best candidate from pretrained weights that is better
            than the head alone; None if there is none.
    """

    chosen: str
    trained: Trained | None
    candidates: tuple[CandidateResult, ...]
    reason: str
    refitted: bool = False
    from_scratch: Trained | None = None
    averaged: bool = False
    transferred: Trained | None = None

    @property
    def starts_from_scratch(self) -> bool:
        """Whether the network from scratch was chosen."""
        return any(candidate.chosen and candidate.from_scratch for candidate in self.candidates)


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


def result_of(run: CandidateRun, validation: ValidationItems, bound: Bound) -> CandidateResult:
    """A candidate's run as a row.

    Args:
        run: of the candidate.
        validation: what it is compared on.
        bound: of all looks of the race.
    """
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
    found, score, last_epoch = validation.compare(run.logits, bound), run.score, facts.last_epoch or reached
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
        bound=bound.errors,
        looks=bound.n_looks,
        better=found.better and not run.is_out,
        reached=last_epoch,
        rungs=tuple(run.losses.items()),
    )


def best_of(results: Sequence[CandidateResult]) -> CandidateResult | None:
    """The row to choose by the rule above; None: the head alone is kept.

    Args:
        results: the head alone first.
    """
    passed = [
        (row, row.log_loss) for row in results if row.better and row.reached and row.log_loss is not None
    ]
    return min(passed, key=lambda each: each[1])[0] if passed else None


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
        n_looks = max(row.looks or 0 for row in results)
        looks = f"{counted(n_looks, 'looks')} at the validation items"
        why = f"none of {n_tried} tried is better beyond chance, with {looks}"
    elif validation.cannot_tell:
        why = validation.cannot_tell
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
    selected = f"the best of {winner.looks} looks at these items, so expect less on new ones"
    return RaceResult(winner.policy, trained, rows, f"{winner.name}: {winner.why}; {selected}; {how}")


def report_lack_of_time(runs: Sequence[CandidateRun], budget_seconds: float) -> None:
    """Report which candidates did not fit the budget.

    Args:
        runs: of the race.
        budget_seconds: of the race.
    """
    out = [run.name for run in runs if run.facts.outcome is Outcome.NO_TIME]
    if not any(run.reached for run in runs):
        say(
            f"the budget of {budget_seconds:.3g} s is too small to try a candidate: the head alone is "
            "kept; pass a larger --budget"
        )
    elif out:
        say(f"not tried for lack of time: {', '.join(out)}")
