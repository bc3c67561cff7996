"""What a threshold on the probability of one of two classes gives: recall, precision, false alarms.

The points stand at thresholds that were fixed before, so their intervals are those of shares; a threshold that is
picked because it looks best on the same items would look better than it is.

Legend: N items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.classification import mean_share
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Units

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class OperatingPoint:
    """What one threshold gives.

    Attributes:
        threshold: an item is called positive from this probability on.
        n_called: number of items that are.
        recall: share of the positive items that are called so.
        precision: share of the items called so that are positive.
        false_alarms: share of the other items that are called positive.
    """

    threshold: float
    n_called: int
    recall: Interval
    precision: Interval
    false_alarms: Interval


def operating_points(
    positive: NDArray[np.bool_],
    probabilities: NDArray[np.floating],
    units: Units,
    thresholds: Sequence[float] = THRESHOLDS,
) -> list[OperatingPoint]:
    """Return what thresholds give.

    Args:
        positive: whether each item is of the class, of shape (N,).
        probabilities: of the class, of shape (N,).
        units: of the items.
        thresholds: fixed before these items were seen.
    """
    return [operating_point(positive, probabilities >= each, units, each) for each in thresholds]


def operating_point(
    positive: NDArray[np.bool_], called: NDArray[np.bool_], units: Units, threshold: float
) -> OperatingPoint:
    """Return what one threshold gives.

    Args:
        positive: whether each item is of the class, of shape (N,).
        called: whether each item is called so, of shape (N,).
        units: of the items.
        threshold: from which they are.
    """
    return OperatingPoint(
        threshold,
        int(called.sum()),
        _share(called, np.flatnonzero(positive), units),
        _share(positive, np.flatnonzero(called), units),
        _share(called, np.flatnonzero(~positive), units),
    )


def _share(hit: NDArray[np.bool_], rows: NDArray[np.intp], units: Units) -> Interval:
    """The share of some items that are hit; not defined for none."""
    if not len(rows):
        return Interval(None)
    return mean_share(hit[rows].astype(np.float64), units.of_some(rows))
