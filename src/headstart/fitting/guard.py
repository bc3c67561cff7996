"""What the guard found: whether classical features take the place of a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headstart.fitting.classical import FittedBaseline
from headstart.metrics import Interval
from headstart.runs.foreseen import Standing


@dataclass(frozen=True, eq=False)
class Guard:
    """What the guard found.

    Attributes:
        outcome: of the result from pretrained weights against the classical baseline; "undecided" keeps the result.
        difference: paired, in the metric of the verdict, result minus baseline.
        where: on which items, in words.
        fitted: the baseline that is returned; None: the result is kept.
        reason: the choice in a sentence.
    """

    outcome: Standing
    difference: Interval
    where: str
    fitted: FittedBaseline | None
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The block of metrics.json."""
        return {
            "returned": "result" if self.fitted is None else "classical",
            "outcome": self.outcome,
            "difference": self.difference.to_json(),
            "where": self.where,
            "reason": self.reason,
        }
