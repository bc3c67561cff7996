"""The run that is evaluated: its record, and what its own score was measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.metrics.classification import rarer_class
from headstart.runs import Record, RunDirectory
from headstart.runs.decision import Decision
from headstart.runs.model_files import decision_in
from headstart.tasks import Targets


@dataclass(frozen=True)
class OwnScore:
    """A run and its own score.

    Attributes:
        record: of the run.
        labels: of the items of its own score; () if it has none, or they are gone.
        decision: the threshold by which the run answers; None if its answers are the usual ones.
    """

    record: Record
    labels: Sequence[str]
    decision: Decision | None

    @classmethod
    def of(cls, run: RunDirectory, classes: Sequence[str]) -> OwnScore:
        """Read it from a finished run.

        Args:
            run: the run.
            classes: of its outputs.

        Raises:
            InputError: a file of the run is damaged.
        """
        record, decision = run.record, decision_in(run, classes)
        is_known = bool(record.test) and run.file("predictions.parquet").is_file()
        return cls(record, (run.predictions().labels or ()) if is_known else (), decision)

    def positive(self, targets: Targets) -> int | None:
        """Of two classes the rarer one among the run's own items; None if that is not known.

        Args:
            targets: of the new items.
        """
        known = self.labels and targets.n_outputs == 2 and set(self.labels) <= set(targets.classes)
        return rarer_class(targets.encode(self.labels)) if known else None
