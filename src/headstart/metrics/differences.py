"""The paired difference of two results on the same items, with its interval.

Errors that both results make do not widen the interval. Accuracy: Tango's interval (see `bounds`) on effective numbers
of items; a loss: t on the differences of the items; the root of a mean loss: the same, divided by the sum of both
roots, so that the difference is that of the roots.

Legend: N items, C classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.bounds import bounded, mean, share_difference
from headstart.metrics.classification import checked
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Float, Units


def accuracy_difference(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    others: NDArray[np.floating],
    units: Units | NDArray[Any] | None = None,
) -> Interval:
    """Return the paired difference in accuracy of two results, the first minus the second.

    Args:
        labels: of shape (N,).
        probabilities: of the first, of shape (N, C).
        others: of the second, of shape (N, C).
        units: what belongs together, of shape (N,); None: every item is a unit of its own.
    """
    labels, first = checked(labels, probabilities)
    _, second = checked(labels, others)
    gain = (first.argmax(axis=1) == labels).astype(np.float64) - (second.argmax(axis=1) == labels)
    return share_gain(gain, Units.of(units, len(labels)))


def share_gain(gain: Float, units: Units) -> Interval:
    """Return the mean of differences of right and wrong, with its interval.

    Args:
        gain: 1 where only the first is right, -1 where only the second is, else 0; of shape (N,).
        units: of the items.
    """
    value = float(gain.mean())

    def make(units: Units) -> Interval:
        effect = units.design_effect((gain - value) / len(gain))
        n_better, n_worse = float((gain > 0).sum()), float((gain < 0).sum())
        return share_difference(n_better / effect, n_worse / effect, len(gain) / effect, units.freedom)

    return bounded(value, units, make)


def loss_difference(
    losses: Float,
    others: Float,
    units: Units | NDArray[Any] | None = None,
    *,
    root: bool = False,
) -> Interval:
    """Return the paired difference in the mean loss of two results, the first minus the second.

    Args:
        losses: of each item under the first, of shape (N,).
        others: under the second, of shape (N,).
        units: what belongs together, of shape (N,); None: every item is a unit of its own.
        root: whether the roots of the means are compared.
    """
    units = Units.of(units, len(losses))
    gain = losses - others
    # sqrt(a) - sqrt(b) = (a - b) / (sqrt(a) + sqrt(b))
    scale = 1 / max(float(losses.mean() ** 0.5 + others.mean() ** 0.5), 1e-300) if root else 1.0
    value = float(gain.mean()) * scale

    def make(units: Units) -> Interval:
        error = scale * units.variance((gain - gain.mean()) / len(gain)) ** 0.5
        if error <= 0:
            return Interval(value, why="the losses of both results differ by the same on every item")
        return mean(value, error, units.freedom)

    return bounded(value, units, make)
