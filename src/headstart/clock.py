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
        """Seconds by phase, with `total`; `imports` is not part of the total."""
        total = sum(seconds for name, seconds in self._seconds.items() if name != IMPORTS)
        return {**self._seconds, "total": total}


def peak_bytes() -> int:
    """The largest resident memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


@contextmanager
def long_lived() -> Iterator[None]:
    """A block in which garbage collection skips the objects that exist when it starts.

    Imported libraries leave half a million objects; a full collection of them takes a third of a second, and a
    short fit would run several. Afterwards everything is as before.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
