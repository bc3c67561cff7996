"""The run that is calibrated: what it must be, and what is read of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.errors import InputError
from headstart.runs.directory import RunDirectory
from headstart.runs.model import Model
from headstart.runs.model_files import decision_in
from headstart.runs.saved_head import load_head
from headstart.tasks import task_named

if TYPE_CHECKING:
    from headstart.heads import LinearHead
    from headstart.runs.decision import Decision
    from headstart.runs.record import Record
    from headstart.sources import Source


@dataclass(frozen=True, eq=False)
class OpenedRun:
    """A run that can be calibrated.

    Attributes:
        folder: of the run.
        record: its metrics.json.
        model: its program, opened when it is first used.
        head: its linear head.
        decision: the threshold by which it answers, as its metrics.json has it; None for the usual answers.
    """

    folder: Path
    record: Record
    model: Model
    head: LinearHead
    decision: Decision | None

    @classmethod
    def open(cls, run: Path | str) -> OpenedRun:
        """Open a run.

        Args:
            run: its folder.

        Raises:
            InputError: there is no finished run, it holds no model, predicts a quantity, has no linear head, or a
                file of it is damaged.
        """
        directory = RunDirectory.open(run)
        record, model = directory.record, Model.open(run)
        if not task_named(model.task).has_classes:
            raise InputError(
                f"{run} predicts a quantity, which has no probabilities to calibrate: score it on the new items with "
                "headstart evaluate, and fit again with their labels if it does worse"
            )
        decision = decision_in(directory, model.classes)
        return cls(directory.path, record, model, load_head(directory.path, "calibrated"), decision)

    def network(self, arch: str | None) -> Source:
        """The network, with the stages that the head reads.

        Args:
            arch: FILE:Class of the user's own network, if it was made with one.

        Raises:
            InputError: it cannot be built, or has other stages.
        """
        from headstart.runs.saved_network import load_network

        return load_network(self.folder, self.head, "calibrated", arch)
