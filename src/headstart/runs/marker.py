"""The marker of a run that is being made: a file, locked by the process that makes the run as long as it lives."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from headstart.errors import InputError
from headstart.files import read_json
from headstart.locks import flock


class Marker:
    """The file `unfinished` of a run.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @property
    def exists(self) -> bool:
        """Whether the run is unfinished."""
        return self.path.exists()

    @property
    def is_locked_here(self) -> bool:
        """Whether this process holds the lock; False where the system has none."""
        return self._lock is not None

    @property
    def command(self) -> tuple[str, ...]:
        """The words of the command that made the file; () if it does not say."""
        try:
            words = read_json(self.path).get("command", ())
        except (InputError, AttributeError):
            return ()
        return (
            tuple(words) if isinstance(words, list) and all(isinstance(word, str) for word in words) else ()
        )

    def create(self) -> bool:
        """Make the file and take its lock; False if another process was first."""
        try:
            with open(self.path, "x", encoding="utf-8") as file:
                json.dump({"process": os.getpid(), "started": time.time(), "command": sys.argv}, file)
        except FileExistsError:
            return False
        return self.take()

    def take(self) -> bool:
        """Take the lock; False if another process holds it. Without locks (Windows) the file alone counts."""
        try:
            descriptor = os.open(self.path, os.O_RDWR)  # a number, which stays open until it is closed
        except FileNotFoundError:  # the process that made the run has just finished it
            return False
        held = flock(descriptor, alone=True, wait=False)
        if held and os.fstat(descriptor).st_nlink:
            self._lock = descriptor
            return True
        os.close(descriptor)
        return held is None

    def is_taken(self) -> bool:
        """Whether a process holds the lock."""
        if self._lock is not None or not self.take():
            return True
        self.release()
        return False

    def remove(self) -> None:
        """Remove the file, and release the lock."""
        self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Release the lock; may be called twice."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
