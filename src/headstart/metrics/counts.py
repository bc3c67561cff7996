"""Counts behind the metrics: the confusion matrix and the bins of the reliability diagram.

Legend: N items, C classes, M cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.classification import checked, mean_share
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Units

N_BINS = 15


@dataclass(frozen=True)
class Bin:
    """Items of similar confidence.

    Attributes:
        low, high: the edges.
        n_items: how many items.
        confidence: their mean confidence.
        right: the share that is right, with its interval; the items are counted by units.
    """

    low: float
    high: float
    n_items: int
    confidence: float
    right: Interval

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return float(self.right)


def confusion_matrix(
    labels: NDArray[np.integer], answers: NDArray[np.integer], n_classes: int
) -> NDArray[np.int64]:
    """Return counts of shape (C, C): rows the true class, columns the answer.

    Args:
        labels: class number of each item, of shape (N,).
        answers: the same of what was answered.
        n_classes: C.
    """
    cells = labels * n_classes + answers
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes).astype(np.int64)


def calibration_bins(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    units: Units | NDArray[Any] | None = None,
) -> list[Bin]:
    """Return the 15 equal bins of the largest probability (Guo et al. 2017).

    Args:
        labels: class number of each item, of shape (N,).
        probabilities: of shape (N, C).
        units: what belongs together, of shape (N,); None: every item is a unit of its own.
    """
    labels, probabilities = checked(labels, probabilities)
    right = probabilities.argmax(axis=1) == labels
    return reliability_bins(probabilities.max(axis=1), right, Units.of(units, len(labels)))


def reliability_bins(stated: NDArray[np.float64], came_true: NDArray[np.bool_], units: Units) -> list[Bin]:
    """Return 15 equal bins of stated probabilities, left open and right closed.

    Args:
        stated: of shape (M,).
        came_true: of shape (M,).
        units: of the M cells.
    """
    number = np.clip(np.ceil(stated * N_BINS).astype(np.intp) - 1, 0, N_BINS - 1)
    bins = []
    for index in range(N_BINS):
        inside = np.flatnonzero(number == index)
        edges = (index / N_BINS, (index + 1) / N_BINS)
        if not len(inside):
            bins.append(Bin(*edges, 0, 0.0, Interval(0.0)))
            continue
        right = mean_share(came_true[inside].astype(np.float64), units.of_some(inside))
        bins.append(Bin(*edges, len(inside), float(stated[inside].mean()), right))
    return bins
