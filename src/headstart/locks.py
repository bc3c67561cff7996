"""Locks that end with their process: which folders of the store are in use, which temporary files are being written.

They are `flock`s on open files, so that the system releases them when a process is killed. Without `flock`
(Windows, some network disks), a folder counts as free and a temporary file as dead after a day.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import time
import uuid
from pathlib import Path
from typing import BinaryIO, Literal

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

_DEAD_AFTER_SECONDS = 86_400.0


def create_locked(folder: Path, prefix: str, suffix: str = "") -> tuple[BinaryIO, Path]:
    """Create a new file that counts as alive as long as it is open.

    Args:
        folder: where to create it.
        prefix: the beginning of its name.
        suffix: its end.

    Returns:
        The file, open for unbuffered writing, and its path.
    """
    while True:
        path = folder / f"{prefix}{uuid.uuid4().hex}{suffix}"
        file = path.open("xb", buffering=0)
        flock(file, alone=True, wait=True)
        # a clean-up may have removed it between its creation and its lock
        if os.fstat(file.fileno()).st_nlink:
            return file, path
        file.close()


def remove_dead(folder: Path, prefix: str, suffix: str = "") -> int:
    """Remove the files that `create_locked` made for processes that no longer live; returns how many."""
    n_removed = 0
    for path in folder.glob(f"{glob.escape(prefix)}*{glob.escape(suffix)}"):
        with contextlib.suppress(OSError), _open(path, "rb") as file:
            if _is_dead(file):
                path.unlink()
                n_removed += 1
    return n_removed


def _is_dead(file: BinaryIO) -> bool:
    held = flock(file, alone=True, wait=False)
    if held is None:
        return time.time() - os.fstat(file.fileno()).st_mtime > _DEAD_AFTER_SECONDS
    return held


def flock(file: BinaryIO | int, *, alone: bool, wait: bool) -> bool | None:
    """Lock an open file; returns whether it worked, None if there are no such locks."""
    if fcntl is None:
        return None
    kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    try:
        fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else None
    return True


class FolderLock:
    """A lock on a folder: shared by those who read and write inside it, exclusive for the one who removes it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @classmethod
    def share(cls, folder: Path) -> FolderLock:
        """Create the folder if it does not exist, and lock it together with others."""
        while True:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                file = _open(folder / "lock")
            except FileNotFoundError:  # removed in between
                continue
            flock(file, alone=False, wait=True)
            if _is_same_file(file, folder / "lock"):
                return cls(file)
            file.close()

    @classmethod
    def alone(cls, folder: Path) -> FolderLock | None:
        """Lock the folder exclusively; None if another process uses it."""
        try:
            file = _open(folder / "lock")
        except OSError:
            return None
        if flock(file, alone=True, wait=False) is False:
            file.close()
            return None
        return cls(file)

    def close(self) -> None:
        """Release the lock; may be called twice."""
        self._file.close()


def _open(path: Path, mode: Literal["ab", "rb"] = "ab") -> BinaryIO:
    """Open a lock file, made if `mode` is "ab"; a link is an OSError, and so is a named pipe that nobody reads."""
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    return open(path, mode, opener=lambda name, given: os.open(name, given | flags, 0o666))


def _is_same_file(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
