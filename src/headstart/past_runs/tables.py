"""Which recorded runs say something about a new data set, and their scores as a table of data sets by sources.

Legend: T data sets, S sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit, ndtri

from headstart.past_runs.row import FinishedRun


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Scores of the head alone.

    Attributes:
        data: digest of each data set, T of them.
        sources: digest of each source, S of them: those that were asked for, in their order, then others.
        scores: of shape (T, S); NaN where no run is recorded.
        n_items: number of independent items that each score is worth, by its interval, of shape (T, S).
    """

    data: tuple[str, ...]
    sources: tuple[str, ...]
    scores: NDArray[np.float64]
    n_items: NDArray[np.float64]


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
    known = [run for run in runs if run.head_alone is not None and run.n_test]
    columns = tuple(dict.fromkeys([*sources, *(run.source_digest for run in known)]))
    data = tuple(dict.fromkeys(run.data_digest for run in known))
    row = {digest: index for index, digest in enumerate(data)}
    column = {digest: index for index, digest in enumerate(columns)}
    scores, n_items = np.full((2, len(data), len(columns)), np.nan)
    for run in known:
        place = row[run.data_digest], column[run.source_digest]
        scores[place], n_items[place] = run.head_alone, independent_items(run)
    return ScoreTable(data, columns, scores, n_items)


def independent_items(run: FinishedRun) -> float:
    """How many independent items have an interval as wide as that of the head alone; at most the held-out items.

    With groups or folds, and for scores that are not shares of right items, it is another number than that of items.

    Args:
        run: with a score of the head alone.
    """
    score, low, high = run.head_alone, run.head_alone_low, run.head_alone_high
    if score is None or low is None or high is None or not 0 < low < score < high < 1:
        return float(run.n_test)
    error = (logit(high) - logit(low)) / (2 * ndtri(0.975))
    return float(min(run.n_test, max(1.0, 1 / (error**2 * score * (1 - score)))))
