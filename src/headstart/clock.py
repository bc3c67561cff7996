"""Seconds by phase and the largest memory of the process; both go into metrics.json."""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

IMPORTS = "imports"


class Clock:
    """Adds up the wall-clock seconds of named phases."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time of a block to a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - started

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by phase, with `total`; `imports` stands apart and is not in the total."""
        total = sum(seconds for name, seconds in self._seconds.items() if name != IMPORTS)
        return {**self._seconds, "total": total}


def peak_bytes() -> int:
    """The largest resident memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


@contextmanager
def long_lived() -> Iterator[None]:
    """A block in which the objects of now are not looked through for garbage again and again.

    Half a million of them stay from the libraries imported; a full collection takes a third of a second, and
    several come in a short fit. Afterwards they are as before.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
