"""The training loop: suffix and head on batches of a feed, resumable at any step with the same bits.

Per step there is no more Python than in a bare PyTorch loop: no value is read back from the device, the
order of the items, the view and the rate are pure functions of (seed, epoch, step). What cannot be such a
function (weights, optimizer, random generators) goes into the checkpoint, together with what is frozen.

Legend: N items, C classes, D features.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headstart import processes, randomness
from headstart.errors import DivergenceError, TrainingError
from headstart.heads.linear import LinearHeadModule
from headstart.progress import progress
from headstart.tune.averaging.averages import Average
from headstart.tune.feeds.feed import Labelled, Machine, embed_all
from headstart.tune.loop.checkpoint import Checkpoints
from headstart.tune.loop.optimizer import head_groups, make_optimizer, peak_rate, set_rates, stage_groups
from headstart.tune.loop.schedule import Positions, epoch_plan, n_epochs_of, n_steps_of, rate_factor
from headstart.tune.loop.sharing import Sharing
from headstart.tune.loop.state import Memory, Progress, history_row, write_history
from headstart.tune.loop.step import ItemLosses, LossModule, Step
from headstart.tune.objectives.supervised import Objective, balanced_weights, weights_to_judge
from headstart.tune.policies.freeze import Freeze
from headstart.tune.policies.policy import Policy
from headstart.tune.recipes.recipe import Recipe
from headstart.tune.training.result import Score, score

_STEPS_BETWEEN_CHECKS = 50
_STEPS_BETWEEN_DECISIONS = 20  # in several processes on an accelerator, which must stop for them
_SEEDS_APART = 1_000_003  # so that no two processes draw the same random numbers


class Loop:
    """One training, from its start or a checkpoint to the best weights.

    Args:
        backbone: the staged network, on the device; trained in place.
        head: the head, already at its starting weights, on the device.
        freeze: the owner of what is frozen in the backbone.
        train: what is learned from.
        validation: what epochs are compared on; without it all epochs run and the last weights are kept.
        recipe: the settings.
        policy: says when further stages begin to train; None: what is frozen stays so.
        objective: what is minimised; None: the cross entropy of classes, by the recipe.
        seed: the run's seed.
        machine: where and how.
        folder: for checkpoints and history.jsonl; None keeps nothing.
        identity: what must be equal for a checkpoint to be gone on from, as plain values by name.
    """

    keeps_its_end = True  # as a checkpoint, so that what comes after it can be gone on with

    def __init__(
        self,
        backbone: Any,
        head: LinearHeadModule,
        freeze: Freeze,
        train: Labelled,
        validation: Labelled | None,
        recipe: Recipe,
        *,
        policy: Policy | None = None,
        objective: ItemLosses | None = None,
        seed: int = 0,
        machine: Machine | None = None,
        folder: Path | None = None,
        identity: Mapping[str, Any] | None = None,
    ) -> None:
        self.backbone, self.head, self.freeze = backbone, head, freeze
        self.train, self.validation = train, validation
        self.recipe, self.policy, self.seed = recipe, policy, seed
        self.machine = machine or Machine()
        self.folder = folder
        by_item = objective is None or isinstance(objective, Objective)
        self.sharing = Sharing(backbone.module, self.machine, whole=not by_item)
        self.identity = dict(identity or {})
        self._smallest = 2 if freeze.normalises_over_batches() else 1
        self._weights = balanced_weights(train.labels) if recipe.sampling == "balanced" else None
        self.optimizer = make_optimizer(
            [*stage_groups(freeze, recipe, freeze.open_stages), *head_groups(head, recipe)],
            recipe,
            self.machine.device,
        )
        self._counts = None
        if validation is not None:
            self._counts = weights_to_judge(recipe, validation.labels, head.task)
        self.step = self._make_step(objective, divisible=by_item)
        self.average = None if recipe.ema is None else Average(self.state(), recipe.ema)
        self.at = Progress.start(self.machine.device)
        self.memory = Memory(self, None if folder is None else Checkpoints(folder / "checkpoints"))
        self.n_steps = len(self.plan(1))  # of an epoch
        if not self.n_steps:
            raise TrainingError(
                "batch normalisation needs two items in a batch: raise batch_size, or give more items"
            )

    @property
    def n_epochs(self) -> int:
        """Number of epochs planned."""
        return n_epochs_of(self.recipe, self.n_steps)

    @property
    def n_all_steps(self) -> int:
        """Number of optimizer steps planned."""
        return n_steps_of(self.recipe, self.n_steps)

    def run(self, *, resume: bool = False, until_epoch: int | None = None) -> None:
        """Train; afterwards backbone and head hold the best weights and `at` says how it went.

        Args:
            resume: go on from the newest whole checkpoint in the folder, where there is one.
            until_epoch: pause after this epoch, with a checkpoint to go on from; the rates stay those of the
                whole training.

        Raises:
            TrainingError: the loss is not a number, or the checkpoint is of another run.
        """
        until = self.n_epochs if until_epoch is None else until_epoch
        with randomness.seeded(self.seed + _SEEDS_APART * processes.number()), self.sharing.synced():
            if not (resume and self.memory.recall()):
                self._begin()
            total = self.n_all_steps * self.train.feed.n_items // self.n_steps
            try:
                with progress("Training", total=total, unit="items") as advance:
                    while self.at.stopped_because is None and self.at.epoch <= until:
                        self._run_epoch(advance)
            except KeyboardInterrupt:
                self.memory.say_how_to_go_on()
                raise
            if self.at.stopped_because is None:
                self.memory.keep()
            self.memory.load_best()

    def logits(self, part: Labelled) -> NDArray[np.float32]:
        """Scores of every item of a part, of shape (N, C), in eval mode and in the order of its items."""
        self.freeze.train(False)
        self.head.eval()
        embeddings = embed_all(
            self.backbone, part.feed, self.machine, batch_size=max(64, self.recipe.batch_size), seed=self.seed
        )
        with torch.no_grad():
            return self.head.logits(torch.from_numpy(embeddings).to(self.machine.device)).cpu().numpy()

    def best_logits(self) -> NDArray[np.float32]:
        """Scores of the validation items by the best weights, after `run` has put those in place."""
        assert self.validation is not None
        known = self.memory.best_logits
        return self.logits(self.validation) if known is None else known

    def score(self, logits_NC: NDArray[np.floating]) -> Score:
        """Score logits of the validation items, by which epochs are compared."""
        assert self.validation is not None
        return score(logits_NC, self.validation.labels, self.head.task, self._counts)

    def state(self) -> dict[str, Tensor]:
        """All that training may change, by name: the tensors themselves, network and head."""
        network = {f"network.{name}": tensor for name, tensor in self.freeze.trained_state().items()}
        return {**network, **{f"head.{name}": tensor for name, tensor in self.head.state_dict().items()}}

    def open_until(self, epoch: int) -> None:
        """Let the stages train that do by this epoch, in the order in which they began to."""
        if self.policy is None or not self.policy.gradual:
            return
        for earlier in range(2, epoch + 1):
            named = [
                stage
                for stage in self.policy.stages[self.policy.cut_at(earlier) :]
                if stage in self.freeze.frozen
            ]
            if named:
                self.freeze.thaw(named)
                for group in stage_groups(self.freeze, self.recipe, named):
                    self.optimizer.add_param_group(group)
                self.step.module = self.sharing.wrapped(self._module)
                self.step.keep_anchors()

    def start_here(self) -> None:
        """Take the present weights for those that training starts from."""
        if self.recipe.ema is not None:
            self.average = Average(self.state(), self.recipe.ema)
        self.memory.remember_best()

    def gradients(self, positions: Positions, inputs: Any, *, epoch: int, step: int) -> Tensor:
        """Compute the gradients of a whole batch without a step; its mean loss, in all processes the same."""
        with self.sharing.synced():
            loss = self.step.gradients(positions, inputs, epoch=epoch, step=step, n_items=len(positions))
        return self.sharing.total(loss)

    def set_modes(self) -> None:
        """Put what trains in train mode."""
        self.freeze.train()
        self.head.train()

    def _begin(self) -> None:
        if processes.is_first():
            self.memory.clear()
        if self.validation is not None:
            self._note(0, None, 0.0, 0.0)

    def _run_epoch(self, advance: Callable[[int], None]) -> None:
        at, clock = self.at, time.monotonic
        self.open_until(at.epoch)
        plan = self.plan(at.epoch)
        started = clock() - at.epoch_seconds
        self.set_modes()
        batches = self.train.feed.batches(
            self.sharing.own(plan), seed=self.seed, epoch=at.epoch, start=at.step
        )
        for positions, inputs in batches:
            n_taken = (at.epoch - 1) * self.n_steps + at.step
            set_rates(self.optimizer, rate_factor(n_taken, self.n_all_steps, self.recipe))
            n_items = len(plan[at.step])
            loss = self.step(positions, inputs, epoch=at.epoch, step=at.step, n_items=n_items)
            if self.average is not None:
                self.average.update(self.state())
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
                self.memory.keep()
            if late:
                return
        self._end_epoch(sum(map(len, plan)), started)

    def _decisions(self, now: float) -> tuple[bool, ...]:
        """Whether a checkpoint is due, and whether the time is up: of the first process, in all."""
        asks_each_step = processes.count() == 1 or self.machine.device.type == "cpu"
        if not asks_each_step and self.at.step % _STEPS_BETWEEN_DECISIONS:
            return False, False
        deadline = self.machine.deadline
        return processes.decided(self.memory.is_due(), deadline is not None and now > deadline)

    def _end_epoch(self, n_seen: int, started: float) -> None:
        self.check_finite()
        at = self.at
        lr = float(self.optimizer.param_groups[0]["lr"])
        train_loss = float(self.sharing.total(at.loss_sum)) / n_seen
        self._note(at.epoch, train_loss, lr, time.monotonic() - started)
        if at.epoch >= self.n_epochs:
            at.stopped_because = (
                f"all {self.n_epochs} epochs were run"
                if self.recipe.steps is None
                else f"all {self.recipe.steps} steps were taken"
            )
        elif self.validation is not None and at.epoch - at.best_epoch >= self.recipe.patience:
            at.stopped_because = f"no better validation loss for {self.recipe.patience} epochs"
        at.next_epoch()
        is_end = at.stopped_because is not None and self.keeps_its_end
        if is_end or processes.decided(self.memory.is_due())[0]:
            self.memory.keep()

    def _note(self, epoch: int, train_loss: float | None, lr: float, seconds: float) -> None:
        """Validate, add the epoch's row to the history, and remember the weights if they are the best."""
        before = time.monotonic()
        with nullcontext() if self.average is None else self.average.applied(self.state()):
            found = None
            if self.validation is not None:
                logits = self.logits(self.validation)
                found = self.score(logits)
                if self.at.best_loss is None or found.log_loss < self.at.best_loss:
                    self.at.best_loss, self.at.best_epoch = found.log_loss, epoch
                    self.memory.remember_best(logits)
        seconds += time.monotonic() - before
        quality = self.head.task.quality_name(balanced=self._counts is not None)
        self.at.history.append(history_row(epoch, train_loss, found, lr, seconds, quality))
        if self.folder is not None and processes.is_first():
            write_history(self.folder / "history.jsonl", self.at.history, append=epoch > 0)

    def _make_step(self, objective: ItemLosses | None, *, divisible: bool) -> Step:
        labels = np.asarray(self.train.labels)
        kind = np.int64 if labels.dtype.kind in "iu" else np.float32
        targets = torch.from_numpy(labels.astype(kind))
        n_outputs = self.head.linear.out_features
        chosen = objective or Objective(self.head.task, self.recipe, targets, n_outputs)
        self._module = LossModule(self.backbone, self.head, self.train.feed, chosen, self.machine)
        return Step(
            self.sharing.wrapped(self._module),
            self.optimizer,
            targets.to(self.machine.device),
            self.recipe,
            seed=self.seed,
            n_classes=n_outputs,
            sharing=self.sharing,
            smallest=self._smallest if self.sharing.n == 1 else 1,
            divisible=divisible,
            network_parameters=self.freeze.trained_parameters,
        )

    def plan(self, epoch: int) -> list[Positions]:
        """The batches of an epoch."""
        buckets, size = self.train.feed.buckets, self.recipe.batch_size
        plan = epoch_plan(buckets, size, seed=self.seed, epoch=epoch, weights=self._weights)
        plan = [batch for batch in plan if len(batch) >= self._smallest]
        if self.recipe.steps is None:
            return plan
        return plan[: self.recipe.steps - (epoch - 1) * len(plan)]

    def check_finite(self) -> None:
        """Stop when the loss is not a number.

        Raises:
            DivergenceError: naming the epoch, the rate and the remedy.
        """
        if not bool(torch.isfinite(self.sharing.total(self.at.loss_sum))):
            precision = " or --precision fp32" if self.machine.precision != "fp32" else ""
            raise DivergenceError(
                f"the training loss is not a finite number in epoch {self.at.epoch} of {self.n_epochs}, "
                f"at lr {peak_rate(self.optimizer):g} (head_lr {self.recipe.head_lr:g}). Try a lower rate, such as "
                f"--lr {peak_rate(self.optimizer) / 10:g}{precision}; if that does not help, look for broken items"
            )
