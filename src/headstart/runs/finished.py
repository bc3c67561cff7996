"""`Finished`: what every verb that makes a run returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Finished:
    """A finished run of any kind.

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
