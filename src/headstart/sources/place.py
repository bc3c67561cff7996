"""Where a source lies on this disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Place:
    """Where a source lies on this disk.

    Attributes:
        uri: how the user named it.
        folder: holds its configuration.
        files: its weight files.
        raw: its config.json; {} if there is none.
        revision: commit on the hub.
        config: source.json of a run: the configuration of the source that the run was made from.
    """

    uri: str
    folder: Path
    files: tuple[Path, ...]
    raw: dict[str, Any] = field(default_factory=dict)
    revision: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
