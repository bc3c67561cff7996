"""Counts behind the metrics: the confusion matrix and the bins of the reliability diagram.

Legend: N items, C classes, M cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.bounds import share
from headstart.metrics.classification import checked

N_BINS = 15


@dataclass(frozen=True)
class Bin:
    """Items of similar confidence.

    Attributes:
        low, high: the edges.
        n_items: how many items.
        confidence: their mean confidence.
        accuracy: the share that is right.
        right_low, right_high: 95% interval of that share, for independent items (Wilson).
    """

    low: float
    high: float
    n_items: int
    confidence: float
    accuracy: float
    right_low: float = 0.0
    right_high: float = 1.0


def confusion_matrix(labels: NDArray[np.integer], probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return counts of shape (C, C): rows the true class, columns the likeliest one.

    Args:
        labels: class number of each item, of shape (N,).
        probabilities: of shape (N, C).
    """
    labels, probabilities = checked(labels, probabilities)
    n_classes = probabilities.shape[1]
    cells = labels * n_classes + probabilities.argmax(axis=1)
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes).astype(np.int64)


def calibration_bins(labels: NDArray[np.integer], probabilities: NDArray[np.floating]) -> list[Bin]:
    """Return the 15 equal bins of the largest probability (Guo et al. 2017).

    Args:
        labels: class number of each item, of shape (N,).
        probabilities: of shape (N, C).
    """
    labels, probabilities = checked(labels, probabilities)
    return reliability_bins(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)


def reliability_bins(stated: NDArray[np.float64], came_true: NDArray[np.bool_]) -> list[Bin]:
    """Return 15 equal bins of stated probabilities, left open and right closed.

    Args:
        stated: of shape (M,).
        came_true: of shape (M,).
    """
    number = np.clip(np.ceil(stated * N_BINS).astype(np.intp) - 1, 0, N_BINS - 1)
    bins = []
    for index in range(N_BINS):
        inside = number == index
        n_cells, edges = int(inside.sum()), (index / N_BINS, (index + 1) / N_BINS)
        if not n_cells:
            bins.append(Bin(*edges, 0, 0.0, 0.0))
            continue
        right = share(float(came_true[inside].mean()), n_cells, max(1, n_cells - 1))
        ends = float(right.low or 0.0), float(right.high or 0.0)
        bins.append(Bin(*edges, n_cells, float(stated[inside].mean()), float(right), *ends))
    return bins
