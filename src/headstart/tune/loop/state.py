"""What a training knows about itself, and how it is kept and recalled."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headstart import processes, randomness
from headstart.errors import TrainingError
from headstart.files import write_text
from headstart.progress import say
from headstart.tune.loop.checkpoint import Checkpoints
from headstart.tune.loop.identity import check_identity
from headstart.tune.training.result import Score

if TYPE_CHECKING:
    from headstart.tune.loop.loop import Loop


_SHARE_OF_SAVING = 0.01  # at most, of the time from one checkpoint to the next


@dataclass
class Progress:
    """How far a training is.

    Attributes:
        epoch: the epoch under way, from 1.
        step: steps done in it.
        loss_sum: of shape (), float64: sum of the losses of its items so far.
        epoch_seconds: time spent in it so far.
        history: a row a finished epoch.
        best_loss: the least validation loss so far; None before the first.
        best_epoch: its epoch; 0 is the start.
        stopped_because: None while training goes on.
    """

    loss_sum: Tensor
    epoch: int = 1
    step: int = 0
    epoch_seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    best_loss: float | None = None
    best_epoch: int = 0
    stopped_because: str | None = None

    @classmethod
    def start(cls, device: torch.device) -> Progress:
        """The state before the first step."""
        return cls(loss_sum=torch.zeros((), device=device))

    def next_epoch(self) -> None:
        """Turn to the next epoch."""
        self.epoch, self.step, self.epoch_seconds = self.epoch + 1, 0, 0.0
        self.loss_sum = torch.zeros_like(self.loss_sum)


class Memory:
    """The weights a loop may need again: the best so far, and its checkpoints on the disk.

    Args:
        loop: whose weights and progress are kept.
        checkpoints: where; None keeps the best weights in memory alone.
    """

    def __init__(self, loop: Loop, checkpoints: Checkpoints | None) -> None:
        self._loop = loop
        self._checkpoints = checkpoints
        self._saved_at, self._seconds_to_save = time.monotonic(), 0.0
        self._best = self._weights()
        self.best_logits: NDArray[np.float32] | None = None  # of validation, where they are known
        self._best_is_written = True  # the start can be had again from the source

    def is_due(self) -> bool:
        """Whether the time between two checkpoints is over; large ones are written less often."""
        if self._checkpoints is None:
            return False
        apart = self._loop.machine.checkpoint_seconds
        if apart:  # 0 is every step, whatever that takes
            apart = max(apart, self._seconds_to_save / _SHARE_OF_SAVING)
        return time.monotonic() - self._saved_at >= apart

    def remember_best(self, logits: NDArray[np.float32] | None = None) -> None:
        """Hold the present weights as the best so far, with their scores of the validation items."""
        self._best, self.best_logits = self._weights(), logits
        self._best_is_written = self._loop.at.best_epoch == 0

    def load_best(self) -> None:
        """Put the best weights into the network and the head; without validation the last are the best."""
        if self._loop.validation is not None:
            self._load_weights(self._best)
        elif self._loop.average is not None:
            self._loop.average.copy_to(self._loop.state())

    def keep(self) -> None:
        """Write a checkpoint: first the best weights, so that the state never names what is not there.

        The first process writes, with the random generators of all.
        """
        if self._checkpoints is None:
            return
        started = time.monotonic()
        loop, at = self._loop, self._loop.at
        loop.check_finite()
        if loop.sharing.n > 1:  # from here on the first process holds what all have summed up
            summed = loop.sharing.total(at.loss_sum)
            at.loss_sum = summed if processes.is_first() else torch.zeros_like(summed)
        generators = processes.gathered(randomness.capture())
        if processes.is_first():
            self._write(self._checkpoints, generators)
        self._best_is_written = True
        self._saved_at = time.monotonic()
        self._seconds_to_save = self._saved_at - started

    def _write(self, checkpoints: Checkpoints, generators: list[dict[str, Any]]) -> None:
        loop, at = self._loop, self._loop.at
        if not self._best_is_written:
            checkpoints.save_best({"epoch": at.best_epoch, "weights": self._best})
        checkpoints.save_last(
            {
                "identity": loop.identity,
                "freeze": loop.freeze.state_dict(),
                "progress": vars(at),
                "weights": {"network": loop.freeze.trained_state(), "head": loop.head.state_dict()},
                "optimizer": loop.optimizer.state_dict(),
                "average": None if loop.average is None else loop.average.state_dict(),
                "n_parts": loop.step.n_parts,
                "random": generators,
                "device": loop.machine.device.type,
            }
        )

    def recall(self) -> bool:
        """Go on from the newest whole checkpoint; False when there is none.

        Raises:
            OptionError: the checkpoint is of a run with other settings.
            TrainingError: it froze something else, or not all processes see it.
        """
        recalled = self._recall()
        seen = processes.gathered((recalled, self._loop.at.epoch, self._loop.at.step))
        if len(set(seen)) > 1:
            raise TrainingError(
                "the processes do not find the same checkpoint: the run's folder must be one that all of them see"
            )
        return recalled

    def _recall(self) -> bool:
        if self._checkpoints is None:
            return False
        found = self._checkpoints.candidates()
        best = self._checkpoints.read_best() or {"epoch": 0, "weights": self._best}
        for _, state in found:
            if state["progress"]["best_epoch"] <= best["epoch"]:
                self._take_up(state, best)
                return True
        if found or self._checkpoints.last.exists():
            say("no whole checkpoint is left; training starts again from its beginning")
        return False

    def clear(self) -> None:
        """Remove the checkpoints of a training that starts anew."""
        if self._checkpoints is not None:
            self._checkpoints.remove()

    def say_how_to_go_on(self) -> None:
        """Tell after an interruption what is kept."""
        if self._checkpoints is None:
            say("training was interrupted; nothing of it is kept")
        elif self._checkpoints.last.exists():
            say(
                f"training was interrupted in epoch {self._loop.at.epoch}; "
                f"its last checkpoint is in {self._checkpoints.folder}: go on with --resume"
            )
        else:
            say("training was interrupted before its first checkpoint; --resume starts it again")

    def _take_up(self, state: dict[str, Any], best: dict[str, Any]) -> None:
        loop = self._loop
        check_identity(state["identity"], loop.identity)
        for epoch in range(2, state["progress"]["epoch"] + 1):
            if (
                list(loop.freeze.frozen) != state["freeze"]["frozen"]
            ):  # at an epoch's end the next is not open
                loop.open_until(epoch)
        here = loop.machine.device.type
        if (was := state.get("device", here)) != here:
            say(
                f"the checkpoint was written on {was} and goes on on {here}: the same steps, not the same bits"
            )
        loop.freeze.load_state_dict(state["freeze"])
        self._load_weights(state["weights"])
        loop.optimizer.load_state_dict(state["optimizer"])
        if loop.average is not None:
            loop.average.load_state_dict(state["average"])
        loop.step.n_parts = max(state["n_parts"], loop.recipe.accumulate)
        self._restore_generators(state["random"])
        values = {**state["progress"]}
        values["loss_sum"] = values["loss_sum"].to(loop.machine.device)
        if loop.sharing.number > 0:
            values["loss_sum"] = torch.zeros_like(values["loss_sum"])
        loop.at = Progress(**values)
        self.best_logits = None
        if loop.at.best_epoch > 0:
            self._best = best["weights"]
        if loop.folder is not None and processes.is_first():
            write_history(loop.folder / "history.jsonl", loop.at.history, append=False)

    def _restore_generators(self, generators: list[dict[str, Any]]) -> None:
        if len(generators) == processes.count():
            randomness.restore(generators[processes.number()])
        else:
            say(
                f"the checkpoint is of {len(generators)} process(es) and there are {processes.count()}: "
                "the batches are the same, the random masks of dropout are others"
            )

    def _weights(self) -> dict[str, dict[str, Tensor]]:
        loop = self._loop
        return {
            "network": {name: tensor.cpu().clone() for name, tensor in loop.freeze.trained_state().items()},
            "head": {name: tensor.cpu().clone() for name, tensor in loop.head.state_dict().items()},
        }

    def _load_weights(self, weights: Mapping[str, Any]) -> None:
        self._loop.freeze.load_trained_state(weights["network"])
        self._loop.head.load_state_dict(weights["head"])


def history_row(
    epoch: int, train_loss: float | None, found: Score | None, lr: float, seconds: float, quality: str
) -> dict[str, Any]:
    """What the history says of an epoch; epoch 0 is the start, before any step.

    Args:
        epoch: counted from 1.
        train_loss: mean loss of its items.
        found: score on validation, where there is one.
        lr: rate of the first group at its end.
        seconds: it took, validation included.
        quality: what the score's quality is called.
    """
    return {
        "epoch": epoch,
        "train_loss": train_loss,
        "validation_loss": None if found is None else found.loss,
        f"validation_{quality}": None if found is None else found.quality,
        "lr": lr,
        "seconds": round(seconds, 3),
    }


def write_history(path: Path, rows: Sequence[Mapping[str, Any]], *, append: bool) -> None:
    """Write the history as JSON lines: the last row behind the others, or all rows afresh.

    Args:
        path: the file.
        rows: all rows so far.
        append: whether the file already holds all rows but the last.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if append:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        return
    write_text(path, "".join(json.dumps(row) + "\n" for row in rows))
