"""Which recorded runs say something about a new data set, and their scores as a table of data sets by sources.

Legend: T data sets, S sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.past_runs.row import FinishedRun


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Scores of the head alone.

    Attributes:
        data: digest of each data set, T of them.
        sources: digest of each source, S of them: those that were asked for, in their order, then others.
        scores: of shape (T, S); NaN where no run is recorded.
    """

    data: tuple[str, ...]
    sources: tuple[str, ...]
    scores: NDArray[np.float64]


def comparable(
    runs: Iterable[FinishedRun], *, modality: str, task: str, metric: str, without: str = ""
) -> tuple[FinishedRun, ...]:
    """The runs that say something about a new data set.

    Runs on the data set itself are left out: their scores come from the items that the new evidence comes from too,
    and would count twice.

    Args:
        runs: recorded.
        modality: of the new data set.
        task: name of its task.
        metric: key of the scores to compare.
        without: digest of the new data set (`data_digest` of its items and labels).
    """
    return tuple(
        run
        for run in runs
        if (run.modality, run.task, run.metric) == (modality, task, metric) and run.data_digest != without
    )


def score_table(runs: Sequence[FinishedRun], sources: Sequence[str] = ()) -> ScoreTable:
    """The scores of the head alone; of several runs of one source on one data set, the last counts.

    Args:
        runs: comparable, oldest first.
        sources: digests of the sources that are asked about; they come first, also without any run.
    """
    known = [run for run in runs if run.head_alone is not None]
    columns = tuple(dict.fromkeys([*sources, *(run.source_digest for run in known)]))
    data = tuple(dict.fromkeys(run.data_digest for run in known))
    row = {digest: index for index, digest in enumerate(data)}
    column = {digest: index for index, digest in enumerate(columns)}
    scores = np.full((len(data), len(columns)), np.nan)
    for run in known:
        scores[row[run.data_digest], column[run.source_digest]] = run.head_alone
    return ScoreTable(data, columns, scores)
