"""One candidate of a race under way: its training, built when it is needed, and its rungs in the study."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.errors import HeadstartError, StoreError
from headstart.progress import say
from headstart.tasks import CLASSIFICATION, Task
from headstart.tune.race.budget import rungs
from headstart.tune.race.comparison import Comparison, compare
from headstart.tune.race.entrants import Entrant
from headstart.tune.race.study import Study
from headstart.tune.recipes.recipe import Recipe
from headstart.tune.training.result import Score, Trained, score


class Trainable(Protocol):
    """What a race needs of a training; `headstart.tune.Training` is one."""

    recipe: Recipe

    def measure_epoch(self) -> float: ...
    def limit_epochs(self, n_epochs: int) -> None: ...
    def run(
        self, *, resume: bool = False, deadline: float | None = None, until_epoch: int | None = None
    ) -> Trained: ...


Build = Callable[[Entrant, Path], Trainable]
"""Prepares the training of an entrant, its checkpoints in a folder."""


class Judge:
    """Validation: the targets, and the head alone, which was fitted without them.

    Args:
        reference_NC: scores of the head alone, of shape (N, C).
        targets: class indices of shape (N,), or what `score` takes for other tasks.
        groups_N: the group of each item, of shape (N,); None: every item is its own.
        task: what is learned.
        weights_N: what each item counts, of shape (N,), of mean 1; None: all the same.
    """

    def __init__(
        self,
        reference_NC: NDArray[np.floating],
        targets: NDArray[Any],
        groups_N: NDArray[Any] | None = None,
        task: Task = CLASSIFICATION,
        weights_N: NDArray[np.floating] | None = None,
    ) -> None:
        self.reference_NC, self.targets, self.groups_N, self.task = reference_NC, targets, groups_N, task
        self.weights_N = weights_N
        self.alone = self.score(reference_NC)
        self.has_room = self.compare(reference_NC).has_room  # whether it makes errors enough to tell

    def score(self, logits_NC: NDArray[np.floating]) -> Score:
        """Score logits of the validation items."""
        return score(logits_NC, self.targets, self.task, self.weights_N)

    def compare(self, logits_NC: NDArray[np.floating]) -> Comparison:
        """Compare logits with the head alone."""
        return compare(logits_NC, self.reference_NC, self.targets, self.groups_N, self.task, self.weights_N)


class Runner:
    """A candidate from its entry to its last rung.

    Args:
        entrant: what it is.
        build: prepares its training.
        study: keeps what is known of it.
        judge: scores it.
        folder: for its checkpoints.
    """

    def __init__(self, entrant: Entrant, build: Build, study: Study, judge: Judge, folder: Path) -> None:
        self.entrant, self.name = entrant, entrant.name
        self._build, self._study, self._judge = build, study, judge
        self.folder = folder / re.sub(r"[^a-z0-9.]+", "-", self.name.lower())
        self._may_resume = study.is_taken_up
        self._training: Trainable | None = None
        self._trained: Trained | None = None
        study.enter(self.name, entrant.policy.text, entrant.rate, fresh=entrant.fresh)

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of it: epochs, epoch_seconds, prepare_seconds, seconds, run, ended, why."""
        return dict(self._study.facts(self.name))

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
        return rungs(int(self.facts["epochs"]))

    @property
    def is_out(self) -> bool:
        """Whether it was left out or failed."""
        return "why" in self.facts

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left of it to train."""
        return bool(self.facts.get("ended")) or self.reached >= int(self.facts.get("epochs", 10**9))

    @property
    def logits(self) -> NDArray[np.float32]:
        """Validation logits of its best weights so far."""
        return self._study.logits(self.name, self.reached)

    @property
    def score(self) -> Score:
        """Its score so far."""
        return self._judge.score(self.logits)

    def leave_out(self, why: str, *, quietly: bool = False) -> None:
        """Close it with a reason."""
        if not quietly:
            say(f"{self.name}: {why}")
        self._study.note(self.name, why=why)
        self._study.end(self.name, "fail")

    def measure(self) -> None:
        """Prepare it and measure an epoch, or leave it out where it cannot be made."""
        if self.is_out or "epoch_seconds" in self.facts:
            return
        started = time.monotonic()
        try:
            training = self._made()
            prepared = time.monotonic() - started
            epoch = training.measure_epoch()
        except StoreError:  # of the disk, not of the candidate
            raise
        except HeadstartError as error:
            self.leave_out(f"not tried: {error}")
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
        """Give it a number of epochs; its schedule is laid over them."""
        self._study.note(self.name, epochs=n_epochs)

    def advance(self, epoch: int, deadline: float) -> None:
        """Train to the end of an epoch, and keep what came of it; a finished rung is not repeated."""
        if self.is_out or self.is_done or self.reached >= epoch:
            return
        started = time.monotonic()
        try:
            trained = self._run(epoch, deadline)
        except StoreError:
            raise
        except HeadstartError as error:  # the others go on
            self.leave_out(f"failed: {error}")
            return
        assert trained.validation_logits is not None  # candidates are trained with validation
        run = int(trained.history[-1]["epoch"])
        seconds = self.facts["seconds"] + time.monotonic() - started
        loss = self._judge.score(trained.validation_logits).loss
        self._study.report(self.name, epoch, loss, trained.validation_logits)
        self._study.note(self.name, seconds=seconds, run=run, ended=run < epoch)
        self._trained = trained

    def drop(self) -> None:
        """Let go of the training in memory; its checkpoint keeps it."""
        self._training = self._trained = None

    def result(self) -> Trained:
        """The best weights so far; from the checkpoint where they are not at hand."""
        if self._trained is None:
            self._trained = self._run(self.reached, time.monotonic())
        return self._trained

    @property
    def training(self) -> Trainable:
        """Its training, as it stands."""
        return self._made()

    def close(self) -> None:
        """Tell the study how it ended."""
        if self.reached and self.is_done:
            self._study.end(self.name, "complete", self.score.loss)
        elif not self.is_out:
            self._study.end(self.name, "pruned")

    def _made(self) -> Trainable:
        if self._training is None:
            self._training = self._build(self.entrant, self.folder)
        return self._training

    def _run(self, epoch: int, deadline: float) -> Trained:
        training = self._made()
        resume, self._may_resume = self._may_resume, True
        training.limit_epochs(int(self.facts["epochs"]))
        return training.run(resume=resume, deadline=deadline, until_epoch=epoch)
