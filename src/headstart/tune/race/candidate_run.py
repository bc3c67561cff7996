"""One candidate of a race while it runs: its training, built when needed, and its rungs in the study."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.errors import HeadstartError, StoreError
from headstart.progress import say
from headstart.tune.objectives.validation import Score
from headstart.tune.race.budget import rungs
from headstart.tune.race.candidates import Candidate
from headstart.tune.race.comparison import Look, ValidationItems
from headstart.tune.race.study import Facts, Outcome, Study
from headstart.tune.recipes.recipe import Recipe
from headstart.tune.training.result import Trained


class Trainable(Protocol):
    """What a race needs of a training; `headstart.tune.Training` is one."""

    recipe: Recipe

    def measure_epoch(self) -> float: ...
    def limit_epochs(self, n_epochs: int) -> None: ...
    def run(
        self, *, resume: bool = False, deadline: float | None = None, until_epoch: int | None = None
    ) -> Trained: ...


Build = Callable[[Candidate, Path], Trainable]
"""Prepares the training of a candidate, its checkpoints in a folder."""


class CandidateRun:
    """A candidate from its entry to its last rung.

    Args:
        candidate: what is tried.
        build: prepares its training.
        study: keeps what is known about it.
        validation: the items it is scored on.
        folder: for its checkpoints.
    """

    def __init__(
        self, candidate: Candidate, build: Build, study: Study, validation: ValidationItems, folder: Path
    ) -> None:
        self.candidate, self.name = candidate, candidate.name
        self._build, self._study, self._validation = build, study, validation
        self.folder = folder / re.sub(r"[^a-z0-9.]+", "-", self.name.lower())
        self._may_resume = study.is_resumed
        self._training: Trainable | None = None
        self._trained: Trained | None = None
        study.enter(
            self.name, candidate.policy.text, candidate.rate_factor, from_scratch=candidate.from_scratch
        )

    @property
    def facts(self) -> Facts:
        """What is known about it, except its losses."""
        return self._study.facts(self.name)

    @property
    def losses(self) -> dict[int, float]:
        """Validation loss after each finished rung, by epoch."""
        return self._study.rungs(self.name)

    @property
    def reached(self) -> int:
        """The epoch of its last finished rung; 0 before the first."""
        return max(self.losses, default=0)

    @property
    def rungs(self) -> list[int]:
        """Its rungs, by the epochs it was planned with."""
        return rungs(self.facts.epochs)

    @property
    def is_out(self) -> bool:
        """Whether it was left out or failed."""
        return self.facts.outcome is not None

    @property
    def is_done(self) -> bool:
        """Whether it was trained to its end."""
        facts = self.facts
        return facts.ended or 0 < facts.epochs <= self.reached

    @property
    def logits(self) -> NDArray[np.floating]:
        """Validation logits of its best weights so far."""
        return self._study.logits(self.name, self.reached)

    @property
    def looks(self) -> list[Look]:
        """All of it that was compared on the validation items: every epoch so far."""
        if not self.reached:
            return []
        return list(self._study.looks(self.name, self.reached)) or [self._validation.look(self.logits)]

    @property
    def score(self) -> Score:
        """Its score so far."""
        return self._validation.score(self.logits)

    def keeps_up_with(self, other: CandidateRun) -> bool:
        """Whether its last rung is at least as good as the same rung of another."""
        losses = other.losses
        return all(loss <= losses.get(epoch, loss) for epoch, loss in list(self.losses.items())[-1:])

    def leave_out(self, outcome: Outcome, why: str) -> None:
        """Close it with a reason."""
        self._study.note(self.name, outcome=outcome, why=why)
        self._study.end(self.name, "fail")

    def measure(self) -> None:
        """Prepare it and measure an epoch, or leave it out if it cannot be prepared."""
        if self.is_out or self.facts.wanted:
            return
        started = time.monotonic()
        try:
            training = self._made()
            prepared = time.monotonic() - started
            epoch = training.measure_epoch()
        except StoreError:  # an error of the disk, not of the candidate
            raise
        except HeadstartError as error:
            self._fail(Outcome.REFUSED, f"not tried: {error}")
            return
        spent = time.monotonic() - started
        self._study.note(
            self.name,
            epoch_seconds=epoch,
            prepare_seconds=prepared,
            seconds=spent,
            wanted=training.recipe.epochs,
        )

    def plan(self, n_epochs: int) -> None:
        """Set its number of epochs; its schedule spans them."""
        self._study.note(self.name, epochs=n_epochs)

    def advance(self, epoch: int, deadline: float) -> None:
        """Train to the end of an epoch, and keep the result; a finished rung is not repeated."""
        if self.is_out or self.is_done or self.reached >= epoch:
            return
        started = time.monotonic()
        try:
            trained = self._run(epoch, deadline)
        except StoreError:
            raise
        except HeadstartError as error:  # the others continue
            self._fail(Outcome.FAILED, f"failed: {error}")
            return
        assert trained.validation_logits is not None  # candidates are trained with validation
        last_epoch = int(trained.history[-1]["epoch"])
        seconds = self.facts.seconds + time.monotonic() - started
        loss = self._validation.score(trained.validation_logits).loss
        self._study.report(self.name, epoch, loss, trained.validation_logits, trained.looks)
        self._study.note(self.name, seconds=seconds, last_epoch=last_epoch, ended=last_epoch < epoch)
        self._trained = trained

    def drop(self) -> None:
        """Release the training from memory; its checkpoint stays."""
        self._training = self._trained = None

    def result(self) -> Trained:
        """The best weights so far; from the checkpoint if they are not in memory."""
        if self._trained is None:
            self._trained = self._run(self.reached, time.monotonic())
        return self._trained

    @property
    def training(self) -> Trainable:
        """Its training, in its present state."""
        return self._made()

    def close(self) -> None:
        """Record in the study how it ended."""
        if self.reached and self.is_done:
            self._study.end(self.name, "complete", self.score.loss)
        elif not self.is_out:
            self._study.end(self.name, "pruned")

    def _fail(self, outcome: Outcome, why: str) -> None:
        say(f"{self.name}: {why}")
        self.leave_out(outcome, why)

    def _made(self) -> Trainable:
        if self._training is None:
            self._training = self._build(self.candidate, self.folder)
        return self._training

    def _run(self, epoch: int, deadline: float) -> Trained:
        training = self._made()
        resume, self._may_resume = self._may_resume, True
        training.limit_epochs(self.facts.epochs)
        return training.run(resume=resume, deadline=deadline, until_epoch=epoch)


def wanted_epochs(field: Sequence[CandidateRun]) -> int:
    """The epochs of the recipe, by the candidates that were measured."""
    return max((run.facts.wanted for run in field), default=1)
