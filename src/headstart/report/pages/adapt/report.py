"""What the report of an adaptation is made from."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.metrics import Metric, metric_named
from headstart.report.reported import Reported
from headstart.runs.adaptation import AdaptationFacts


@dataclass(frozen=True, eq=False)
class AdaptReport(Reported):
    """A finished adaptation, for its page and for the terminal.

    Attributes:
        found: what was found.
        next_command: predicts with the run.
    """

    found: AdaptationFacts
    next_command: str = ""

    @property
    def metric(self) -> Metric:
        """The metric of every score."""
        return metric_named(self.found.metric)

    @property
    def is_scored(self) -> bool:
        """Whether labels of the target are known."""
        return self.found.n_scored > 0
