"""`Run`: what `fit` returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.runs import Predictions


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        path: its folder.
        metrics: the content of metrics.json.
        summary: the result as lines of plain text.
    """

    path: Path
    metrics: dict[str, Any] = field(repr=False)
    summary: str = field(repr=False)

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self.path / "report.html"

    def predict(self, data: str | Path | Sequence[Any], **options: Any) -> Predictions:
        """Predict new items; see `headstart.predict`."""
        from headstart.runs.prediction import predict

        return predict(self.path, data, **options)
