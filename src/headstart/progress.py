"""Progress bars and single lines while headstart works, on standard error only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_quiet = False


def set_quiet(quiet: bool) -> None:
    """Turn all output on standard error off (`-q`) or on."""
    global _quiet
    _quiet = quiet


def say(text: str) -> None:
    """Print one line on standard error, unless quiet."""
    if not _quiet:
        print(text, file=sys.stderr, flush=True)


@contextmanager
def progress(what: str, total: int, unit: str = "items") -> Iterator[Callable[[int], None]]:
    """Show a bar with rate and time left while a block runs; silent if standard error is not a terminal.

    Args:
        what: the title, such as "Extracting features".
        total: number of units to do.
        unit: what is counted, in the plural.

    Yields:
        A function that takes the number of units just done.
    """
    if _quiet or not sys.stderr.isatty():
        yield lambda n_done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, rate="")

        def advance(n_done: int) -> None:
            bar.advance(task, n_done)
            speed = bar.tasks[0].speed
            bar.update(task, rate=f"{speed:,.0f}/s" if speed else "")

        yield advance
