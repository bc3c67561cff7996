"""Which items of new data can be read, before any is predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headstart.errors import DataError
from headstart.progress import say
from headstart.units import agreeing, counted

if TYPE_CHECKING:
    from headstart.data import AudioPreprocessing, Examples


def readable(examples: Examples, threads: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Positions of the items that can be read, their digests, their seconds if recordings; others are reported.

    Args:
        examples: N items.
        threads: cores to use; None: those this process may use.

    Raises:
        DataError: none can be read.
    """
    from headstart.data import scan
    from headstart.processes import available_cores

    found = scan(examples.items, examples.modality, threads=threads or available_cores())
    for index, problem in found.problems.items():
        say(f"cannot be read, and gets no prediction: {examples.names[index]}: {problem}")
    if len(found.problems) == len(examples):
        raise DataError(f"no item can be read. The first is {examples.names[0]}: {found.problems[0]}")
    kept = np.setdiff1d(np.arange(len(examples)), np.fromiter(found.problems, dtype=np.int64))
    seconds = None if found.seconds is None else found.seconds[kept]
    return kept, found.digests[kept], seconds


def report_cut(seconds: np.ndarray, preprocessing: AudioPreprocessing) -> None:
    """Say how many recordings are longer than the window.

    Args:
        seconds: (N,) of each.
        preprocessing: of the run.
    """
    from headstart.data.preprocessing import ALIKE_SECONDS

    window = preprocessing.window_seconds
    n_longer = int((seconds > window + ALIKE_SECONDS).sum())
    if n_longer:
        are = agreeing(n_longer, "is", "are")
        say(
            f"{n_longer:,} of {counted(len(seconds), 'recordings')} {are} longer than the window of the run, "
            f"{window:g} s: only their first {window:g} s are used; --windows (windows=True) uses all of them"
        )
