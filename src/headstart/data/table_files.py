"""The files that a table names, or that are embedded in it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.items import Item
from headstart.data.listing import HOW_TO_FOLLOW, Border
from headstart.errors import DataError, shortened


@dataclass(frozen=True)
class Embedded:
    """Makes an item of a cell: the bytes in it, or else the path of the file that it names."""

    folder: Path
    border: Border

    def __call__(self, value: Any) -> Item:
        if isinstance(value, Mapping):
            data, path = value.get("bytes"), value.get("path")
            return self.border.checked(self.folder / str(path)) if data is None and path else data or b""
        return b"" if value is None else value


def require_files(table_path: Path, values: np.ndarray, paths: Sequence[Path], border: Border) -> None:
    """Refuse a table that names files which are missing, or outside of the data folder.

    Args:
        table_path: for messages.
        values: (n_rows,) as the table names them.
        paths: n_rows paths that they stand for.
        border: the data folder.

    Raises:
        DataError: names the first such rows and the remedy.
    """
    folder, look = border.folders[0], _look_at(paths, border)
    for rows, problem, remedy in (
        (
            look.outside,
            f"lie outside of {folder}",
            f"Move them into it, or, if this is meant, {HOW_TO_FOLLOW}.",
        ),
        (look.missing, "are not there", f"Paths start from {folder}."),
    ):
        if rows:
            shown = ", ".join(f"row {row + 1} '{shortened(values[row], 120)}'" for row in rows[:3])
            more = ", ..." if len(rows) > 3 else ""
            raise DataError(
                f"{table_path}: {len(rows):,} of {len(values):,} files {problem} ({shown}{more}). {remedy}"
            )


@dataclass
class _Look:
    """Rows whose files are missing, and whose files lie outside of the data folder."""

    missing: list[int] = field(default_factory=list)
    outside: list[int] = field(default_factory=list)


def _look_at(paths: Sequence[Path], border: Border) -> _Look:
    """Look for files by listing each folder once: one look-up per file is slow on network disks."""
    listed: dict[Path, tuple[bool, dict[str, bool]]] = {}  # inside? and which of the files are links
    found = _Look()
    for row, path in enumerate(paths):
        if path.parent not in listed:
            listed[path.parent] = (border.holds(path.parent), _files_in(path.parent))
        inside, names = listed[path.parent]
        if not inside or (names.get(path.name) and not border.holds(path)):
            found.outside.append(row)
        elif path.name not in names:
            found.missing.append(row)
    return found


def _files_in(folder: Path) -> dict[str, bool]:
    """The names of the files of a folder, and whether each is a link; {} if it cannot be listed."""
    try:
        return {entry.name: entry.is_symlink() for entry in os.scandir(folder) if not entry.is_dir()}
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return {}
