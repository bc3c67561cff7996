"""What the report of an evaluation is made from."""

from __future__ import annotations

from dataclasses import dataclass, field

from headstart.metrics import Interval
from headstart.report.items.report import MeasuredReport, defined
from headstart.runs.evaluation import EvaluationFacts


@dataclass(frozen=True, eq=False)
class EvaluateReport(MeasuredReport):
    """A finished evaluation, for its page and for the terminal.

    Attributes:
        record: the content of metrics.json.
        facts: how it was made, and from which data.
        held_out: the items that were scored.
        found: what was found.
        next_command: what to run next; "" for nothing.
        own_positive: of two classes the one that the run's own report sets thresholds on; None: not known.
    """

    found: EvaluationFacts = field(kw_only=True)
    next_command: str = ""
    own_positive: int | None = None

    @property
    def positive(self) -> int:
        """Of two classes the one of the run's own report, else the rarer one here."""
        return super().positive if self.own_positive is None else self.own_positive

    @property
    def predicts(self) -> str:
        """The run that was evaluated."""
        return self.found.run

    def own(self, metric: str) -> Interval | None:
        """The run's own score of a metric; None if it has none."""
        return defined(self.found.own.get(metric))

    def change(self, metric: str) -> Interval | None:
        """The score here minus the own one; None if there is none."""
        return defined(self.found.change.get(metric))
