"""Counts behind the metrics: the confusion matrix and the bins of the reliability diagram.

Legend: N items, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.classification import N_BINS, bins_of, checked


@dataclass(frozen=True)
class Bin:
    """Items of similar confidence: the edges, how many, their mean confidence and the share that is right."""

    low: float
    high: float
    n_items: int
    confidence: float
    accuracy: float


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
    """Return the 15 equal bins of the largest probability, as the ece takes them (Guo et al. 2017).

    Args:
        labels: class number of each item, of shape (N,).
        probabilities: of shape (N, C).
    """
    labels, probabilities = checked(labels, probabilities)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    number = bins_of(confidence)
    bins = []
    for index in range(N_BINS):
        inside = number == index
        n_items = int(inside.sum())
        mean, share = (
            (float(confidence[inside].mean()), float(right[inside].mean())) if n_items else (0.0, 0.0)
        )
        bins.append(Bin(index / N_BINS, (index + 1) / N_BINS, n_items, mean, share))
    return bins
