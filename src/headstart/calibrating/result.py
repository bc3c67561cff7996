"""`Calibration`: what `calibrate` returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.metrics import Interval
from headstart.runs.calibration import CalibrationFacts
from headstart.runs.run import Run

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Calibration:
    """A finished calibration.

    Attributes:
        run: the new run, with corrected probabilities; None: no correction was made, and no run was written.
        metrics: the content of metrics.json; without a new run its block `recalibration` alone.
        summary: the result as lines of plain text.
        facts: what was found.
    """

    run: Run | None
    metrics: dict[str, Any] = field(repr=False)
    summary: str = field(repr=False)
    facts: CalibrationFacts = field(repr=False)

    @property
    def path(self) -> Path | None:
        """The folder of the new run; None if there is none."""
        return None if self.run is None else self.run.path

    @property
    def table(self) -> pandas.DataFrame:
        """One row per metric, with the columns of calibration.csv."""
        import pandas

        return pandas.DataFrame(rows(self.facts))


def rows(facts: CalibrationFacts) -> Sequence[dict[str, Any]]:
    """One row per metric, before and after: the columns of calibration.csv.

    Args:
        facts: of the calibration.
    """
    return [
        {
            "metric": name,
            **_ends("before", score),
            **_ends("after", facts.after.get(name)),
            **_ends("change", facts.change.get(name)),
        }
        for name, score in facts.before.items()
    ]


def _ends(name: str, score: Interval | None) -> dict[str, float | None]:
    found = score or Interval(None)
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
