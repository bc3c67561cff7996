"""The table of what was measured, kept as data: benchmarks/results/ranking.json."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.work import ROOT
from headstart.files import write_text

PATH = ROOT / "benchmarks" / "results" / "ranking.json"
Row = dict[str, Any]


def load() -> list[Row]:
    """Return the rows that were measured so far."""
    return json.loads(PATH.read_text()) if PATH.exists() else []


def save(rows: list[Row]) -> None:
    """Write the rows, one per line."""
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    write_text(PATH, f"[\n{lines}\n]\n")
