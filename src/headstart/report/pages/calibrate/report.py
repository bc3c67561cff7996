"""What the report of a calibration is made from.

Legend: N items, C outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from headstart.metrics import Interval
from headstart.report.items.report import MeasuredReport, defined
from headstart.runs.calibration import CalibrationFacts

LOSS = "log_loss"


@dataclass(frozen=True, eq=False)
class CalibrateReport(MeasuredReport):
    """A calibration that made a new run, for its page and for the terminal.

    Attributes:
        record: the content of metrics.json.
        facts: how it was made, and from which data.
        held_out: the items that the correction was fitted to, each with the probabilities by a correction that was
            fitted without it.
        found: what was found.
        before_NC: probabilities of the run as it was, of shape (N, C).
        next_command: what to run next.
    """

    found: CalibrationFacts = field(kw_only=True)
    before_NC: np.ndarray = field(kw_only=True)
    next_command: str = ""

    @property
    def headline(self) -> str:
        """The metric that leads the report, whatever the task."""
        return LOSS

    def before(self, metric: str) -> Interval | None:
        """The score of the run as it was; None if it is not defined."""
        return defined(self.found.before.get(metric))

    def change(self, metric: str) -> Interval | None:
        """The paired change of a score; None if there is none."""
        return defined(self.found.change.get(metric))
