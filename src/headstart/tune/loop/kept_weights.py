"""The weights a training may need again: the best so far, and its checkpoints on the disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from headstart import processes, randomness
from headstart.progress import say
from headstart.tune.feeds.feed import Machine
from headstart.tune.loop.checkpoint import Checkpoints
from headstart.tune.loop.resume_check import check_can_resume
from headstart.tune.loop.setup import Keeping
from headstart.tune.loop.weights import Weights
from headstart.units import counted

_SHARE_OF_SAVING = 0.01  # largest share of the time that writing checkpoints may take


class KeptWeights:
    """Remembers the best weights, and writes and finds checkpoints if there is a folder.

    Args:
        weights: of the training.
        keeping: where, and what must be equal to resume.
        machine: its device, and the time between checkpoints.
    """

    def __init__(self, weights: Weights, keeping: Keeping, machine: Machine) -> None:
        self._weights, self._keeping, self._machine = weights, keeping, machine
        folder = keeping.folder
        self._checkpoints = None if folder is None else Checkpoints(folder / "checkpoints")
        self._saved_at, self._seconds_to_save = time.monotonic(), 0.0
        self.remember_best(0)

    @property
    def writes(self) -> bool:
        """Whether checkpoints are written."""
        return self._checkpoints is not None

    def is_due(self) -> bool:
        """Whether the next checkpoint is due; large ones are written less often."""
        if self._checkpoints is None:
            return False
        apart = self._machine.checkpoint_seconds
        if apart:  # 0 means every step, however long that takes
            apart = max(apart, self._seconds_to_save / _SHARE_OF_SAVING)
        return time.monotonic() - self._saved_at >= apart

    def remember_best(self, epoch: int, outputs: Any = None) -> None:
        """Hold the present weights as the best so far.

        Args:
            epoch: whose weights these are; 0 is the start, which is never written: the source has it.
            outputs: what validation gave with them.
        """
        self._best, self._best_epoch, self.best_outputs = self._weights.copied(), epoch, outputs
        self._best_is_written = epoch == 0

    def load_best(self) -> None:
        """Put the best weights in place."""
        self._weights.load(self._best)

    def keep(self, state: Callable[[], dict[str, Any]]) -> None:
        """Write a checkpoint: the best weights first, so that the state never names a file that does not exist.

        The first process writes, with the random generators of all.

        Args:
            state: gives the state of the training.
        """
        if self._checkpoints is None:
            return
        started = time.monotonic()
        generators = processes.gathered(randomness.capture())
        if processes.is_first():
            if not self._best_is_written:
                self._checkpoints.save_best({"epoch": self._best_epoch, "weights": self._best})
            self._checkpoints.save_last(
                {
                    "must_equal": dict(self._keeping.must_equal),
                    "random": generators,
                    "device": self._machine.device.type,
                    **state(),
                }
            )
        self._best_is_written = True
        self._saved_at = time.monotonic()
        self._seconds_to_save = self._saved_at - started

    def newest(self) -> dict[str, Any] | None:
        """The newest whole checkpoint of this training, with its best weights loaded; None if there is none.

        Raises:
            OptionError: it was started with other settings, or written by another version.
        """
        if self._checkpoints is None:
            return None
        found = self._checkpoints.candidates()
        best = self._checkpoints.read_best() or {"epoch": 0, "weights": self._best}
        for state in found:
            best_epoch = state["progress"]["best_epoch"]
            if best_epoch > best["epoch"]:  # its best weights are lost
                continue
            check_can_resume(state["must_equal"], self._keeping.must_equal, self._checkpoints.folder.parent)
            here = self._machine.device.type
            if state["device"] != here:
                say(
                    f"the checkpoint was written on {state['device']} and is resumed on {here}: "
                    "the steps are the same, but numbers can differ in rounding"
                )
            if best_epoch > 0:
                self._best = best["weights"]
            self._best_epoch, self.best_outputs = best_epoch, None
            return state
        if found or self._checkpoints.last.exists():
            say("no whole checkpoint is left; training starts from the beginning")
        return None

    def clear(self) -> None:
        """Remove the checkpoints of a training that starts again."""
        if self._checkpoints is not None:
            self._checkpoints.remove()

    def say_how_to_resume(self, epoch: int) -> None:
        """Report, after an interruption, what is kept and how to resume."""
        if self._checkpoints is None:
            say("training was interrupted, and it has no folder for checkpoints: nothing is kept")
        elif self._checkpoints.last.exists():
            say(
                f"training was interrupted in epoch {epoch}; "
                f"its last checkpoint is in {self._checkpoints.folder}: resume with --resume"
            )
        else:
            say("training was interrupted before its first checkpoint; --resume starts it again")


def restore_generators(generators: list[dict[str, Any]]) -> None:
    """Restore this process's random generators, if the checkpoint has the same number of processes."""
    if len(generators) == processes.count():
        randomness.restore(generators[processes.number()])
    else:
        say(
            f"the checkpoint is of {counted(len(generators), 'processes')}, and this is a run of {processes.count()}: "
            "the batches are the same, the random masks of dropout differ"
        )
