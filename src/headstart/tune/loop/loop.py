"""The training loop: batches of a feed through the network and an objective, resumable at any step with the same bits.

Per step there is no more Python than in a bare PyTorch loop: no value is read back from the device, the
order of the items, the view and the rate are pure functions of (seed, epoch, step). What cannot be such a
function (weights, optimizer, random generators) goes into the checkpoint, together with what is frozen.

The objective says what is learned (objectives/), the feed how a batch runs through the network (feeds/), and
the validation how epochs are compared (objectives/validation.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from headstart import processes, randomness
from headstart.errors import TrainingError
from headstart.progress import progress
from headstart.tune.averaging.averages import Average
from headstart.tune.feeds.feed import Machine
from headstart.tune.feeds.plan import Positions
from headstart.tune.loop.kept_weights import KeptWeights, restore_generators
from headstart.tune.loop.optimizer import open_stages, optimizer_of, peak_rate, set_rates
from headstart.tune.loop.progress import Progress, announce, divergence, history_row, write_history
from headstart.tune.loop.schedule import Schedule, rate_factor
from headstart.tune.loop.setup import Items, Keeping, Network
from headstart.tune.loop.sharing import Sharing
from headstart.tune.loop.step import LossModule, Step, smallest_batch
from headstart.tune.loop.weights import Weights
from headstart.tune.objectives.objective import Objective
from headstart.tune.objectives.validation import Validation
from headstart.tune.recipes.recipe import Recipe

_STEPS_BETWEEN_CHECKS = 50
_STEPS_BETWEEN_DECISIONS = 20  # steps between exchanges of several processes on an accelerator, which stop it
_SEEDS_APART = 1_000_003  # so that each process draws its own random numbers


class Loop:
    """One training, from its start or a checkpoint to the best weights.

    Args:
        network: what trains, and what is frozen in it.
        items: what is learned from.
        objective: what is minimised, on the device; its parameters train too.
        validation: compares epochs; None: all epochs run and the last weights are kept.
        recipe: the settings.
        seed: random seed.
        machine: where and how.
        keeping: where checkpoints are kept; None keeps nothing.
        train_mode: whether dropout is on and statistics of normalisation are updated in the trained part.

    Raises:
        TrainingError: no batch is large enough.
    """

    def __init__(
        self,
        network: Network,
        items: Items,
        objective: Objective,
        validation: Validation | None,
        recipe: Recipe,
        *,
        seed: int = 0,
        machine: Machine | None = None,
        keeping: Keeping | None = None,
        train_mode: bool = True,
    ) -> None:
        self.network, self.items, self.objective, self.validation = network, items, objective, validation
        self.recipe, self.seed, self.machine = recipe, seed, machine or Machine()
        self.keeping, self._train_mode = keeping or Keeping(), train_mode
        self.freeze = network.freeze
        self.sharing = Sharing(self.machine, whole=not objective.divisible)
        self.schedule = Schedule(items.plan, recipe, smallest_batch(self.freeze, objective, self.sharing.n))
        self.optimizer = optimizer_of(self.freeze, objective, recipe, self.machine.device)
        self._module = LossModule(network.backbone, items.feed, objective, self.machine)
        self.step = Step(
            self.sharing.wrapped(self._module),
            self.optimizer,
            items,
            recipe,
            machine=self.machine,
            sharing=self.sharing,
            smallest=self.schedule.smallest if self.sharing.n == 1 else 1,
            divisible=objective.divisible,
            network_parameters=self.freeze.trained_parameters,
        )
        self.weights = Weights(self.freeze, objective)
        self.average = None if recipe.ema is None else Average(self.weights.tensors(), recipe.ema)
        self.at = Progress.start(self.machine.device)
        self.kept = KeptWeights(self.weights, self.keeping, self.machine)

    def run(self, *, resume: bool = False, until_epoch: int | None = None) -> None:
        """Train; afterwards network and objective hold the best weights, and `at` has the history.

        Args:
            resume: from the newest whole checkpoint in the folder, if any.
            until_epoch: pause after it, with a checkpoint to resume from; the rates stay those of the whole training.

        Raises:
            OptionError: the checkpoint was started with other settings.
            TrainingError: the loss is not a number, or something else is frozen in the checkpoint.
        """
        until = self.schedule.n_epochs if until_epoch is None else until_epoch
        with randomness.seeded(self.seed + _SEEDS_APART * self.sharing.number):
            if not (resume and self.recall()):
                self._begin()
            total, done = self.schedule.n_items(self.items.feed.n_items, self.at.epoch, self.at.step)
            try:
                with progress("Training", total=total, unit="items", done=done) as advance:
                    while self.at.stopped_because is None and self.at.epoch <= until:
                        self._run_epoch(advance)
            except KeyboardInterrupt:
                self.kept.say_how_to_resume(self.at.epoch)
                raise
            if self.at.stopped_because is None:
                self.keep()
            if self.validation is not None:
                self.kept.load_best()
            elif self.average is not None:
                self.average.copy_to(self.weights.tensors())

    def limit_epochs(self, n_epochs: int) -> None:
        """Plan another number of epochs than the recipe; the rates are those of a training of this length."""
        self.recipe = self.schedule.recipe = self.recipe.model_copy(update={"epochs": n_epochs})

    def start_here(self) -> None:
        """Use the present weights as the start of the training."""
        if self.recipe.ema is not None:
            self.average = Average(self.weights.tensors(), self.recipe.ema)
        self.kept.remember_best(0)

    def gradients(self, positions: Positions, inputs: Any, *, epoch: int, step: int) -> Tensor:
        """Compute the gradients of a whole batch without a step; its mean loss, in all processes the same."""
        context = self.schedule.context(epoch, step)
        return self.sharing.total(self.step.gradients(positions, inputs, context, len(positions)))

    def set_modes(self) -> None:
        """Put the trained part in train mode, unless `train_mode` is False."""
        self.freeze.train(self._train_mode)
        self.objective.train(self._train_mode)

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed training needs to reach the same bits, except the random generators."""
        return {
            "freeze": self.freeze.state_dict(),
            "progress": vars(self.at),
            "weights": self.weights.by_part(),
            "optimizer": self.optimizer.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "n_parts": self.step.n_parts,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put a saved state back.

        Raises:
            TrainingError: something else was frozen when it was saved.
        """
        # the stages of the next epoch are not open yet
        for epoch in range(2, state["progress"]["epoch"] + 1):
            if list(self.freeze.frozen) != state["freeze"]["frozen"]:
                self.open_until(epoch)
        self.freeze.load_state_dict(state["freeze"])
        self.weights.load(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.step.n_parts = max(state["n_parts"], self.step.n_parts)
        self.at = Progress.restored(state["progress"], self.machine.device, with_sum=self.sharing.number == 0)

    def keep(self) -> None:
        """Write a checkpoint, if there is a folder."""
        if not self.kept.writes:
            return
        self.check_finite()
        if self.sharing.n > 1:  # from now on the first process holds the sum of all processes
            summed = self.sharing.total(self.at.loss_sum)
            self.at.loss_sum = summed if processes.is_first() else torch.zeros_like(summed)
        self.kept.keep(self.state_dict)

    def open_until(self, epoch: int) -> None:
        """Let the stages train that are open in this epoch."""
        if open_stages(self.optimizer, self.freeze, self.network.policy, self.recipe, epoch):
            self.step.module = self.sharing.wrapped(self._module)
            self.step.keep_anchors()

    def check_finite(self) -> None:
        """Stop if the loss is not a number.

        Raises:
            DivergenceError: naming the epoch, the rate and the remedy.
        """
        if not bool(torch.isfinite(self.sharing.total(self.at.loss_sum))):
            when = f"in epoch {self.at.epoch} of {self.schedule.n_epochs}"
            raise divergence(when, peak_rate(self.optimizer), self.recipe, self.machine.precision)

    def _begin(self) -> None:
        if processes.is_first():
            self.kept.clear()
        if self.validation is not None:
            self._note(0, None, 0.0, 0.0)

    def recall(self) -> bool:
        """Resume from the newest whole checkpoint; False if there is none.

        Raises:
            OptionError: it was started with other settings.
            TrainingError: it froze something else, or not all processes see it.
        """
        state = self.kept.newest()
        if state is not None:
            self.load_state_dict(state)
            restore_generators(state["random"])
            self._write_history(append=False)
        seen = processes.gathered((state is not None, self.at.epoch, self.at.step))
        if len(set(seen)) > 1:
            raise TrainingError(
                "the processes do not find the same checkpoint: the run's folder must be one that all of them see"
            )
        return state is not None

    def _run_epoch(self, advance: Callable[[int], None]) -> None:
        at, clock = self.at, time.monotonic
        self.open_until(at.epoch)
        plan = self.schedule.plan(at.epoch)
        started = clock() - at.epoch_seconds
        self.set_modes()
        shares = self.sharing.own(plan)
        for positions, inputs in self.items.feed.batches(
            shares, seed=self.seed, epoch=at.epoch, start=at.step
        ):
            context, n_items = self.schedule.context(at.epoch, at.step), len(plan[at.step])
            set_rates(self.optimizer, rate_factor(context.n_done, context.n_steps, self.recipe))
            loss = self.step(positions, inputs, context, n_items)
            if self.average is not None:
                self.average.update(self.weights.tensors())
            at.loss_sum += loss * n_items
            at.step += 1
            advance(n_items)
            at.epoch_seconds = clock() - started
            if at.step % _STEPS_BETWEEN_CHECKS == 0:
                self.check_finite()
            due, late = self._decisions(started + at.epoch_seconds)
            if late:
                at.stopped_because = f"the time budget was used up in epoch {at.epoch}"
            if due or late:
                self.keep()
            if late:
                return
        self._end_epoch(sum(map(len, plan)), started)

    def _decisions(self, now: float) -> tuple[bool, ...]:
        """Whether a checkpoint is due, and whether the time is up: decided by the first process for all."""
        asks_each_step = processes.count() == 1 or self.machine.device.type == "cpu"
        if not asks_each_step and self.at.step % _STEPS_BETWEEN_DECISIONS:
            return False, False
        deadline = self.machine.deadline
        return processes.decided(self.kept.is_due(), deadline is not None and now > deadline)

    def _end_epoch(self, n_seen: int, started: float) -> None:
        self.check_finite()
        at = self.at
        train_loss = float(self.sharing.total(at.loss_sum)) / n_seen
        lr = float(self.optimizer.param_groups[0]["lr"])
        self._note(at.epoch, train_loss, lr, time.monotonic() - started)
        if at.epoch >= self.schedule.n_epochs:
            at.stopped_because = self.schedule.why_it_ends()
        elif self.validation is not None and at.epoch - at.best_epoch >= self.recipe.patience:
            at.stopped_because = f"no better validation loss for {self.recipe.patience} epochs"
        at.next_epoch()
        is_end = at.stopped_because is not None and self.keeping.at_end
        if is_end or processes.decided(self.kept.is_due())[0]:
            self.keep()

    def _note(self, epoch: int, train_loss: float | None, lr: float, seconds: float) -> None:
        """Validate, add the epoch's row to the history, and remember the weights if they are the best."""
        before, found, quality = time.monotonic(), None, None
        with nullcontext() if self.average is None else self.average.applied(self.weights.tensors()):
            if self.validation is not None:
                found, quality = self.validation.measure(), self.validation.quality_name
                if found.items_2N is not None:
                    self.at.looks.append(torch.tensor(found.items_2N, dtype=torch.float32))
                if self.at.best_loss is None or found.loss < self.at.best_loss:
                    self.at.best_loss, self.at.best_epoch = found.loss, epoch
                    self.kept.remember_best(epoch, found.outputs)
        seconds += time.monotonic() - before
        self.at.history.append(history_row(epoch, train_loss, found, quality, lr, seconds))
        announce(self.at.history[-1], self.schedule.n_epochs, self.keeping)
        self._write_history(append=epoch > 0)

    def _write_history(self, *, append: bool) -> None:
        if self.keeping.folder is not None and processes.is_first():
            write_history(self.keeping.folder / "history.jsonl", self.at.history, append=append)
