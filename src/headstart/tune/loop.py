"""The training loop: suffix and head on batches of a feed, resumable at any step with the same bits.

Per step there is no more Python than in a bare PyTorch loop: no value is read back from the device, the
order of the items, the view and the rate are pure functions of (seed, epoch, step). What cannot be such a
function (weights, optimizer, random generators) goes into the checkpoint, together with what is frozen.

Legend: N items, C classes, D features.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from headstart.errors import TrainingError
from headstart.heads.linear import LinearHeadModule
from headstart.progress import progress
from headstart.tune import randomness
from headstart.tune.checkpoint import Checkpoints
from headstart.tune.feeds import Feed, Machine, autocast, embed_all
from headstart.tune.freeze import Freeze
from headstart.tune.recipe import Recipe
from headstart.tune.result import Score, score
from headstart.tune.schedule import Positions, epoch_plan, rate_factor
from headstart.tune.state import Memory, Progress, write_history

_STEPS_BETWEEN_CHECKS = 50


@dataclass(frozen=True, eq=False)
class Labelled:
    """A feed and its labels: class indices of shape (N,), by position."""

    feed: Feed
    labels: NDArray[np.integer]


class Loop:
    """One training, from its start or a checkpoint to the best weights.

    Args:
        backbone: the staged network, on the device; trained in place.
        head: the head, already at its starting weights, on the device.
        freeze: the owner of what is frozen in the backbone.
        train: what is learned from.
        validation: what epochs are compared on; without it all epochs run and the last weights are kept.
        recipe: the settings.
        seed: the run's seed.
        machine: where and how.
        folder: for checkpoints and history.jsonl; None keeps nothing.
        identity: what must be equal for a checkpoint to be gone on from, as plain values by name.
    """

    def __init__(
        self,
        backbone: Any,
        head: LinearHeadModule,
        freeze: Freeze,
        train: Labelled,
        validation: Labelled | None,
        recipe: Recipe,
        *,
        seed: int = 0,
        machine: Machine | None = None,
        folder: Path | None = None,
        identity: Mapping[str, Any] | None = None,
    ) -> None:
        from accelerate import Accelerator

        self.backbone, self.head, self.freeze = backbone, head, freeze
        self.train, self.validation = train, validation
        self.recipe, self.seed = recipe, seed
        self.machine = machine or Machine()
        self.folder = folder
        self.accelerator = Accelerator()
        if self.accelerator.num_processes > 1:
            raise TrainingError(
                "training in several processes is not there yet: start one, without a launcher"
            )
        self.identity = dict(identity or {})
        self.labels = torch.from_numpy(np.asarray(train.labels, dtype=np.int64)).to(self.machine.device)
        groups = freeze.parameter_groups(
            head, lr=recipe.lr, head_lr=recipe.head_lr, weight_decay=recipe.weight_decay
        )
        self.optimizer = torch.optim.AdamW(groups, fused=self.machine.device.type in ("cpu", "cuda"))
        self.parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        self.at = Progress.start(self.machine.device)
        self.memory = Memory(self, None if folder is None else Checkpoints(folder / "checkpoints"))
        self._smallest = 2 if _has_batch_norm(freeze) else 1
        self.n_steps = len(self._plan(1))
        if not self.n_steps:
            raise TrainingError(
                "batch normalisation needs two items in a batch: raise batch_size, or give more items"
            )

    def run(self, *, resume: bool = False) -> None:
        """Train; afterwards backbone and head hold the best weights and `at` says how it went.

        Args:
            resume: go on from the newest whole checkpoint in the folder, where there is one.

        Raises:
            TrainingError: the loss is not a number, or the checkpoint is of another run.
        """
        with randomness.seeded(self.seed):
            if not (resume and self.memory.recall()):
                self._begin()
            total = self.recipe.epochs * self.train.feed.n_items
            try:
                with progress("Training", total=total, unit="items") as advance:
                    while self.at.stopped_because is None:
                        self._run_epoch(advance)
            except KeyboardInterrupt:
                self.memory.say_how_to_go_on()
                raise
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

    def measure_epoch(self, n_steps: int = 3) -> float:
        """Estimate the seconds of an epoch from its first steps, leaving weights and generators as they are.

        The first step warms up caches and is not counted where there are others. Validation is counted by its
        share of items at a third of a step's time an item.
        """
        kept = {name: tensor.clone() for name, tensor in self.freeze.trained_state().items()}
        generators = randomness.capture()
        plan = self._plan(1)
        seconds: list[tuple[float, int]] = []
        self.freeze.train()
        before = time.monotonic()
        for positions, inputs in self.train.feed.batches(
            plan[: n_steps + 1], seed=self.seed, epoch=1, start=0
        ):
            float(self._loss(positions, inputs, backward=True))
            now = time.monotonic()
            seconds.append((now - before, len(positions)))
            before = now
        self.optimizer.zero_grad()
        self.freeze.load_trained_state(kept)
        randomness.restore(generators)
        counted = seconds[1:] or seconds
        an_item = sum(s for s, _ in counted) / sum(n for _, n in counted)
        n_validation = 0 if self.validation is None else self.validation.feed.n_items
        return an_item * (sum(map(len, plan)) + n_validation / 3)

    def _begin(self) -> None:
        self.memory.clear()
        if self.validation is not None:
            self._note(0, None, 0.0, 0.0)

    def _run_epoch(self, advance: Callable[[int], None]) -> None:
        at, clock = self.at, time.monotonic
        plan = self._plan(at.epoch)
        started = clock() - at.epoch_seconds
        deadline = float("inf") if self.machine.deadline is None else self.machine.deadline
        self.freeze.train()
        self.head.train()
        batches = self.train.feed.batches(plan, seed=self.seed, epoch=at.epoch, start=at.step)
        for positions, inputs in batches:
            self._set_rate()
            loss = self._loss(positions, inputs, backward=True)
            if self.recipe.clip_norm is not None:
                torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip_norm)
            self.optimizer.step()
            self.optimizer.zero_grad()
            at.loss_sum += loss * len(positions)
            at.step += 1
            advance(len(positions))
            at.epoch_seconds = clock() - started
            if at.step % _STEPS_BETWEEN_CHECKS == 0:
                self.check_finite()
            if self.memory.is_due():
                self.memory.keep()
            if started + at.epoch_seconds > deadline:
                at.stopped_because = f"the time budget was used up in epoch {at.epoch}"
                return
        self._end_epoch(sum(map(len, plan)), started)

    def _end_epoch(self, n_seen: int, started: float) -> None:
        self.check_finite()
        at = self.at
        lr = float(self.optimizer.param_groups[0]["lr"])
        train_loss = float(at.loss_sum) / n_seen
        self._note(at.epoch, train_loss, lr, time.monotonic() - started)
        if at.epoch >= self.recipe.epochs:
            at.stopped_because = f"all {self.recipe.epochs} epochs were run"
        elif self.validation is not None and at.epoch - at.best_epoch >= self.recipe.patience:
            at.stopped_because = f"no better validation loss for {self.recipe.patience} epochs"
        at.next_epoch()
        if at.stopped_because is not None or self.memory.is_due():
            self.memory.keep()

    def _note(self, epoch: int, train_loss: float | None, lr: float, seconds: float) -> None:
        """Validate, add the epoch's row to the history, and remember the weights if they are the best."""
        found: Score | None = None
        before = time.monotonic()
        if self.validation is not None:
            found = score(self.logits(self.validation), self.validation.labels)
        seconds += time.monotonic() - before
        self.at.history.append(
            {
                "epoch": epoch,
                "train_loss": train_loss,
                "validation_loss": None if found is None else found.log_loss,
                "validation_accuracy": None if found is None else found.accuracy,
                "lr": lr,
                "seconds": round(seconds, 3),
            }
        )
        if self.folder is not None:
            write_history(self.folder / "history.jsonl", self.at.history, append=epoch > 0)
        if found is not None and (self.at.best_loss is None or found.log_loss < self.at.best_loss):
            self.at.best_loss, self.at.best_epoch = found.log_loss, epoch
            self.memory.remember_best()

    def _loss(self, positions: Positions, inputs: Any, *, backward: bool) -> Tensor:
        logits_NC = self._forward(self.train.feed, inputs)
        labels_N = self.labels[torch.from_numpy(positions)]
        loss = functional.cross_entropy(logits_NC, labels_N, label_smoothing=self.recipe.label_smoothing)
        if backward:
            self.accelerator.backward(loss)
        return loss.detach()

    def _forward(self, feed: Feed, inputs: Any) -> Tensor:
        with autocast(self.machine):
            embedding_ND = feed.embed(self.backbone, inputs, self.machine.device)
        return self.head.logits(embedding_ND.float())

    def _set_rate(self) -> None:
        step = (self.at.epoch - 1) * self.n_steps + self.at.step
        factor = rate_factor(step, self.n_steps * self.recipe.epochs, self.recipe)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak_lr"] * factor

    def _plan(self, epoch: int) -> list[Positions]:
        plan = epoch_plan(self.train.feed.buckets, self.recipe.batch_size, seed=self.seed, epoch=epoch)
        return [batch for batch in plan if len(batch) >= self._smallest]

    def check_finite(self) -> None:
        """Stop when the loss is not a number.

        Raises:
            TrainingError: naming the epoch, the rate and the remedy.
        """
        if not bool(torch.isfinite(self.at.loss_sum)):
            precision = " or --precision fp32" if self.machine.precision != "fp32" else ""
            raise TrainingError(
                f"the training loss is not a finite number in epoch {self.at.epoch} of {self.recipe.epochs}, "
                f"at lr {self.recipe.lr:g} (head_lr {self.recipe.head_lr:g}). Try a lower rate, such as "
                f"--lr {self.recipe.lr / 10:g}{precision}; if that does not help, look for broken items"
            )


def _has_batch_norm(freeze: Freeze) -> bool:
    """Whether a trained stage normalises over the batch, which one item alone cannot do."""
    freeze.train()
    batch_norm = torch.nn.modules.batchnorm._BatchNorm
    return any(isinstance(m, batch_norm) and m.training for m in freeze.module.modules())
