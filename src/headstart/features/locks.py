"""Locks that die with their process: who uses a folder of the store, and whose temporary file is still alive.

They are `flock`s on open files, so that the system lets go of them when a process is killed. Where there is
no `flock` (Windows), a folder counts as free and a temporary file as dead after a day.
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

_DEAD_AFTER_SECONDS = 86_400.0


def create_locked(folder: Path, prefix: str) -> tuple[BinaryIO, Path]:
    """Create a new file that is known to be alive as long as it stays open.

    Args:
        folder: where to create it.
        prefix: the beginning of its name.

    Returns:
        The file, open for unbuffered writing, and its path.
    """
    while True:
        path = folder / f"{prefix}{uuid.uuid4().hex}"
        file = path.open("xb", buffering=0)
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        # a cleaner may have taken it between its creation and its lock
        if os.fstat(file.fileno()).st_nlink:
            return file, path
        file.close()


def remove_dead(folder: Path, prefix: str) -> int:
    """Remove the files that `create_locked` made for processes that no longer live; returns how many."""
    n_removed = 0
    for path in folder.glob(f"{prefix}*"):
        with contextlib.suppress(OSError), path.open("rb") as file:
            if _is_dead(file):
                path.unlink()
                n_removed += 1
    return n_removed


def _is_dead(file: BinaryIO) -> bool:
    if fcntl is None:  # pragma: no cover - Windows
        return time.time() - os.fstat(file.fileno()).st_mtime > _DEAD_AFTER_SECONDS
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class FolderLock:
    """A folder held: shared by those who read and write inside it, alone by the one who removes it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @classmethod
    def share(cls, folder: Path) -> FolderLock:
        """Create the folder where it is missing, and hold it together with others."""
        while True:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                file = (folder / "lock").open("ab")
            except FileNotFoundError:  # removed in between
                continue
            if fcntl is None:  # pragma: no cover - Windows
                return cls(file)
            fcntl.flock(file, fcntl.LOCK_SH)
            if _is_same_file(file, folder / "lock"):
                return cls(file)
            file.close()

    @classmethod
    def alone(cls, folder: Path) -> FolderLock | None:
        """Hold the folder alone, or None where somebody else holds it."""
        try:
            file = (folder / "lock").open("ab")
        except OSError:
            return None
        if fcntl is None:  # pragma: no cover - Windows
            return cls(file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return cls(file)

    def close(self) -> None:
        """Let go; may be called twice."""
        self._file.close()


def _is_same_file(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
