"""`--freeze auto`: try a few cuts within a budget, and take one only where validation shows it is better.

The candidates are the head alone, one or two cuts that the depth profile suggests, and no freezing at all.
The head alone is the reference: another candidate is taken only where `compare` finds it better on the same
validation items (do no harm). Among those, the one of highest accuracy is taken, then of least log loss, then
the cheapest.

Legend: N items, C classes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.errors import OptionError, TrainingError
from headstart.progress import say
from headstart.tune.compare import compare
from headstart.tune.ledger import Ledger
from headstart.tune.policy import Policy
from headstart.tune.recipe import Recipe
from headstart.tune.result import Tuned, score

_AN_EPOCH_IN_PASSES = 3.0  # a live epoch is a forward and a backward pass: at least three forward passes


class Trainable(Protocol):
    """What the choice needs of a training; `headstart.tune.Training` is one."""

    recipe: Recipe

    def measure_epoch(self) -> float: ...
    def limit_epochs(self, n_epochs: int) -> None: ...
    def run(self, *, resume: bool = False, deadline: float | None = None) -> Tuned: ...


@dataclass(frozen=True)
class Candidate:
    """One policy in the choice, as evidence.

    Attributes:
        policy: its name; "all" is the head alone.
        tried: whether it was trained.
        why: why it was not tried, or how it compares with the head alone.
        epochs: epochs it was planned for, fewer than the recipe's when the budget asked for it.
        seconds: time spent on it.
        accuracy: on validation.
        log_loss: on validation, after temperature scaling.
        difference: its accuracy less that of the head alone.
        standard_error: of that difference, paired.
        better: whether it passed the rule.
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

    def to_json(self) -> dict[str, Any]:
        """The fields as a dictionary that JSON can hold."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class AutoChoice:
    """What `auto` chose, and from what.

    Attributes:
        chosen: the policy; "all" is the head alone.
        tuned: its result; None for the head alone.
        candidates: all that were considered, the head alone first.
        reason: the choice in a sentence.
    """

    chosen: str
    tuned: Tuned | None
    candidates: tuple[Candidate, ...]
    reason: str


def suggest_cuts(profile: Sequence[float]) -> list[int]:
    """The cuts worth trying by a depth profile, the cheapest first.

    The stages up to the best one of the profile already serve the task, so they are kept and the rest is
    trained; the second cut keeps half of those. At least the last stage trains.

    Args:
        profile: a score a stage, higher is better.
    """
    n_stages = len(profile)
    best = n_stages - 1 - int(np.argmax(np.asarray(profile)[::-1]))
    first = min(best + 1, n_stages - 1)
    return sorted({cut for cut in (first, first // 2) if cut >= 1}, reverse=True)


def choose_policy(
    policies: Sequence[Policy],
    train: Callable[[Policy], Trainable],
    reference_NC: NDArray[np.floating],
    labels_N: NDArray[np.integer],
    *,
    budget_seconds: float,
    groups_N: NDArray[Any] | None = None,
    pass_seconds: float = 0.0,
    folder: Path | None = None,
    resume: bool = False,
) -> AutoChoice:
    """Train the candidates that fit the budget and choose by validation.

    The time left is shared evenly among the candidates left; what one does not use goes to the next. A
    candidate whose epochs do not all fit runs fewer; one of which not even one epoch fits is not tried.

    Args:
        policies: candidates beside the head alone, in the order to try, the cheapest first.
        train: prepares the training of a policy, stored prefix included.
        reference_NC: probabilities of the head alone on the validation items, of shape (N, C); it was fitted
            without them.
        labels_N: class indices of the validation items, of shape (N,).
        budget_seconds: wall-clock time for all candidates together.
        groups_N: groups of the validation items.
        pass_seconds: time of one forward pass over all items, where it is known.
        folder: where decisions are kept, so that a resumed choice takes them again.
        resume: whether to take up decisions and checkpoints in the folder.
    """
    race = _Race(train, np.log(np.clip(reference_NC, 1e-12, 1.0)), labels_N, groups_N, pass_seconds, resume)
    race.ledger = Ledger(None if folder is None else folder / "auto.json", resume=resume)
    started = time.monotonic() - race.ledger.spent_seconds
    race.spent = lambda: time.monotonic() - started
    for index, policy in enumerate(policies):
        left = budget_seconds - race.spent()
        race.enter(policy, left / (len(policies) - index))
    return race.result()


class _Race:
    """The candidates seen so far and the best of them."""

    def __init__(
        self,
        train: Callable[[Policy], Trainable],
        reference_NC: NDArray[np.floating],
        labels_N: NDArray[np.integer],
        groups_N: NDArray[Any] | None,
        pass_seconds: float,
        resume: bool,
    ) -> None:
        self.train, self.reference_NC, self.labels_N, self.groups_N = train, reference_NC, labels_N, groups_N
        self.pass_seconds, self.resume = pass_seconds, resume
        self.ledger = Ledger(None, resume=False)
        self.spent: Callable[[], float] = lambda: 0.0
        own = score(reference_NC, labels_N)
        why = "the head alone, the reference"
        self.candidates = [Candidate("all", True, why, accuracy=own.accuracy, log_loss=own.log_loss)]
        self.best: tuple[Candidate, Tuned] | None = None

    def enter(self, policy: Policy, allowed: float) -> None:
        """Try one candidate within `allowed` seconds."""
        before = time.monotonic()
        known = self.ledger.decision(policy.text)
        if known is not None and "skipped" in known:
            self.candidates.append(Candidate(policy.text, False, known["skipped"]))
            return
        n_passes = _AN_EPOCH_IN_PASSES if policy.cut == 0 else 1.0
        if known is None and n_passes * self.pass_seconds > allowed:
            what = "an epoch" if policy.cut == 0 else "storing the frozen prefix"
            self._skip(policy, f"{what} takes about {n_passes * self.pass_seconds:.0f} s", allowed)
            return
        try:
            training = self.train(policy)
        except OptionError as error:
            self._leave_out(policy, f"not tried: {error}")
            return
        if known is None:
            known = self._plan(policy, training, allowed - (time.monotonic() - before))
        if known is not None:
            self._run(policy, training, known, before)

    def _plan(self, policy: Policy, training: Trainable, left: float) -> dict[str, Any] | None:
        """Decide how many epochs fit into the seconds left; None where not even one does."""
        epoch_seconds = training.measure_epoch()
        wanted = training.recipe.epochs
        n_epochs = min(wanted, math.floor(left / max(epoch_seconds, 1e-9)))
        if n_epochs < 1:
            self._skip(policy, f"an epoch takes about {epoch_seconds:.1f} s", left)
            return None
        if n_epochs < wanted:
            say(f"{policy.text}: {n_epochs} of {wanted} epochs fit the budget")
        decision = {"epochs": n_epochs, "allowed": left}
        self.ledger.note(policy.text, decision, self.spent())
        return decision

    def _run(self, policy: Policy, training: Trainable, decision: dict[str, Any], before: float) -> None:
        """Train as decided; one that fails takes no other candidate with it."""
        training.limit_epochs(int(decision["epochs"]))
        deadline = time.monotonic() + float(decision["allowed"])
        try:
            tuned = training.run(resume=self.resume, deadline=deadline)
        except TrainingError as error:
            seconds = time.monotonic() - before
            say(f"{policy.text}: {error}")
            self.candidates.append(Candidate(policy.text, True, f"failed: {error}", seconds=seconds))
        else:
            self._judge(policy, tuned, int(decision["epochs"]), before)
        self.ledger.note(policy.text, decision, self.spent())

    def result(self) -> AutoChoice:
        """The choice among all that were entered."""
        if self.best is None:
            n_tried = sum(candidate.tried for candidate in self.candidates) - 1
            reason = (
                "the head alone is kept: no candidate could be tried within the budget"
                if n_tried == 0
                else f"the head alone is kept: none of {n_tried} tried is better by the rule on validation"
            )
            return AutoChoice("all", None, tuple(self.candidates), reason)
        candidate, tuned = self.best
        return AutoChoice(
            candidate.policy, tuned, tuple(self.candidates), f"{candidate.policy}: {candidate.why}"
        )

    def _judge(self, policy: Policy, tuned: Tuned, n_epochs: int, before: float) -> None:
        assert tuned.validation is not None and tuned.validation_logits is not None  # trained with validation
        found = compare(tuned.validation_logits, self.reference_NC, self.labels_N, self.groups_N)
        candidate = Candidate(
            policy.text,
            True,
            found.words,
            n_epochs,
            time.monotonic() - before,
            tuned.validation.accuracy,
            tuned.validation.log_loss,
            found.accuracy,
            found.accuracy_error,
            found.better,
        )
        self.candidates.append(candidate)
        if candidate.better and (self.best is None or _rank(tuned) > _rank(self.best[1])):
            self.best = (candidate, tuned)

    def _skip(self, policy: Policy, reason: str, left: float) -> None:
        self._leave_out(
            policy, f"not tried: {reason}, and {max(left, 0.0):.0f} s of the budget were left for it"
        )

    def _leave_out(self, policy: Policy, why: str) -> None:
        say(f"{policy.text}: {why}")
        self.ledger.note(policy.text, {"skipped": why}, self.spent())
        self.candidates.append(Candidate(policy.text, False, why))


def _rank(tuned: Tuned) -> tuple[float, float]:
    assert tuned.validation is not None
    return tuned.validation.accuracy, -tuned.validation.log_loss
