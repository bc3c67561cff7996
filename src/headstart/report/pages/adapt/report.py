"""What the report of an adaptation is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from headstart.metrics import Metric, metric_named
from headstart.report.reported import Reported
from headstart.report.words import letter
from headstart.runs.adaptation import SOURCE_ONLY, AdaptationFacts, MethodRow

if TYPE_CHECKING:
    from headstart.adapt.picture import Picture


@dataclass(frozen=True, eq=False)
class AdaptReport(Reported):
    """A finished adaptation, for its page and for the terminal.

    Attributes:
        found: what was found.
        next_command: predicts with the run.
        picture: both domains before and after; None: too few items to draw.
    """

    found: AdaptationFacts
    next_command: str = ""
    picture: Picture | None = None

    @property
    def metric(self) -> Metric:
        """The metric of every score."""
        return metric_named(self.found.metric)

    @property
    def sign(self) -> int:
        """1 if a larger score is better, -1 if a smaller one is."""
        return 1 if self.metric.better == "higher" else -1

    @property
    def is_scored(self) -> bool:
        """Whether labels of the target are known."""
        return self.found.n_scored > 0

    @property
    def is_adapted(self) -> bool:
        """Whether another method than source only is returned."""
        return self.found.method != SOURCE_ONLY

    @property
    def outcome(self) -> str:
        """The verdict against source only; "" if there is none, or nothing was changed."""
        verdict = self.record.verdict
        return verdict.outcome if verdict is not None and self.is_scored and self.is_adapted else ""

    @cached_property
    def letters(self) -> Mapping[str, str]:
        """The letter of each method, source only first."""
        return {row.name: letter(place) for place, row in enumerate(self.found.methods)}

    @cached_property
    def selectors(self) -> tuple[str, ...]:
        """Names of the selectors that were asked, the one that decided first."""
        return tuple(dict.fromkeys(name for row in self.found.methods for name in row.scores))

    @property
    def has_label_shift(self) -> bool:
        """Whether the classes are taken to have other shares in the target."""
        return self.found.shift.get("kind") in ("label", "both")

    def kind(self, row: MethodRow) -> str:
        """The class that gives a method its colour."""
        return (
            "first" if row.name == self.found.method else "baseline" if row.name == SOURCE_ONLY else "other"
        )
