"""A finished run that can be adapted: its network, its head and its training statistics in place of its program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.errors import InputError
from headstart.run_files import TRAINING_STATISTICS, check_has_model
from headstart.runs.directory import RunDirectory
from headstart.runs.record import Record
from headstart.runs.saved_head import load_head
from headstart.runs.saved_network import load_network
from headstart.runs.training_statistics import has_statistics, load_statistics
from headstart.tasks import task_named

if TYPE_CHECKING:
    from headstart.adapt.summary import FeatureSummary
    from headstart.heads import LinearHead
    from headstart.sources import Source


@dataclass(frozen=True, eq=False)
class AdaptableRun:
    """What a run holds to adapt with.

    Attributes:
        folder: of the run.
        record: its metrics.json.
        head: as it was fitted.
        summary: of the features that the head reads, on the items it learned from.
    """

    folder: Path
    record: Record
    head: LinearHead
    summary: FeatureSummary

    @property
    def modality(self) -> str:
        """Of its items; "" if the run does not say."""
        return "" if self.record.data is None else self.record.data.modality

    def network(self, arch: str | None = None, *, trust_remote_code: bool = False) -> Source:
        """The network, with the stages that the head reads.

        Args:
            arch: FILE:Class of the user's own network, if it was made with one.
            trust_remote_code: whether code of a repository may run.

        Raises:
            InputError: it cannot be built, or has other stages.
        """
        return load_network(self.folder, self.head, "adapted", arch, trust_remote_code=trust_remote_code)


def open_adaptable(folder: Path) -> AdaptableRun:
    """Open a run that holds what adapting it needs.

    Args:
        folder: of the run.

    Raises:
        InputError: it is no finished run, was adapted or calibrated already, holds no model, classical features or no
            training statistics, or a file of it is damaged.
    """
    record = RunDirectory.open(folder).record
    check_has_model(folder)
    if record.kind == "calibrate":
        raise InputError(
            f"{folder} was calibrated, and keeps no statistics of its training items: adapt the run that it was made "
            "from; predict with it without --adapt"
        )
    if record.kind != "fit":
        raise InputError(
            f"{folder} was adapted already, and its statistics are of another domain than its head: adapt the fit or "
            "the labelled data that it was made from; predict with it without --adapt"
        )
    if record.chosen is not None and record.chosen.classical:
        raise InputError(
            f"{folder} predicts with classical features, which have no network to adapt: fit again without --guard"
        )
    task = task_named(record.task)
    if not task.one_per_item:
        raise InputError(
            f"{folder} predicts {task.name}: adapting needs one class per item. What works for it: headstart predict, "
            "or labels of some new items and a new fit"
        )
    if not has_statistics(folder):
        raise InputError(
            f"{folder} keeps no statistics of its training items: {TRAINING_STATISTICS} was removed, or an older "
            "headstart made the run. Give the command of its fit again, which uses the stored features; or adapt from "
            "its data: headstart adapt DATA TARGET. headstart predict works without them"
        )
    head = load_head(folder, "adapted")
    return AdaptableRun(folder, record, head, load_statistics(folder, head))
