"""Progress bars and single lines while headstart works, on standard error only."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, cast

SECONDS_TO_WAIT = 1.0  # without a word, before a line says what is done
_quiet = False
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Unfailing:
    """A text stream whose writes never raise: a full disk or a closed terminal ends the talk, not the work.

    Args:
        stream: any text stream.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text, or lose it."""
        with suppress(OSError, ValueError):  # ValueError: the stream was closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Pass on what was written, or lose it."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def secure_standard_error() -> None:
    """Keep writes to standard error from failing; if it was closed, no opened file gets its number."""
    if sys.stderr is None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != 2:  # else it has taken the place itself
            with suppress(OSError):
                os.dup2(nowhere, 2)
            os.close(nowhere)
        sys.stderr = os.fdopen(2, "w", closefd=False, errors="backslashreplace")
    if not isinstance(sys.stderr, Unfailing):
        sys.stderr = Unfailing(sys.stderr)


def set_quiet(quiet: bool) -> None:
    """Turn all output on standard error off (`-q`) or on."""
    global _quiet
    _quiet = quiet


def printable(text: str) -> str:
    r"""The text with escapes such as \x1b for characters by which a file's name could control a terminal.

    These are control characters (except line breaks and tabs), those that turn the direction of writing, and halves
    of surrogate pairs.
    """
    return text if text.isprintable() else _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def say(text: str) -> None:
    """Print one line on standard error, unless quiet."""
    if not _quiet and sys.stderr is not None:
        print(printable(text), file=Unfailing(sys.stderr), flush=True)


@contextmanager
def waiting(text: str, seconds: float = SECONDS_TO_WAIT) -> Iterator[None]:
    """Print a line on standard error if a block without a bar takes long, unless quiet.

    Args:
        text: what is done, such as "Loading libraries …".
        seconds: after which it is printed; a shorter block prints nothing.
    """
    timer = threading.Timer(seconds, say, [text])
    timer.daemon = True  # an interrupt does not wait for it
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def progress(what: str, total: int, unit: str = "items", done: int = 0) -> Iterator[Callable[[int], None]]:
    """Show a bar with rate and time left while a block runs; silent if standard error is not a terminal.

    Args:
        what: the title, such as "Extracting features".
        total: number of units to do.
        unit: what is counted, in the plural.
        done: number of units that were done before.

    Yields:
        A function that takes the number of units just done.
    """
    if _quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda n_done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),  # the whole fits 80 columns
        MofNCompleteColumn(),
        TextColumn(unit),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=Console(file=cast(IO[str], Unfailing(sys.stderr))), transient=True
    ) as bar:
        task = bar.add_task(what, total=total, completed=done, rate="")

        def advance(n_done: int) -> None:
            bar.advance(task, n_done)
            speed = bar.tasks[0].speed
            bar.update(task, rate=f"{speed:,.0f}/s" if speed else "")

        yield advance
