"""F1 of labels that do not exclude each other: per label and their mean, or all labels together.

    F1 = 2 h / (a + p)

with a items that have the label, p that were given it and h both. The variance is that of the influences of the items
(delta method) with one hit, one miss and one false alarm added, so that it is not 0 if every item is right; it gives
the effective number of items of Wilson's interval (see `bounds`).

Legend: N items, C labels.
"""

from __future__ import annotations

import numpy as np

from headstart.metrics.class_shares import LEAST_FREEDOM
from headstart.metrics.interval import Interval
from headstart.metrics.mean_shares import freedom_of, mean_of_shares
from headstart.metrics.spread import Float, Units


def micro_f1(actual: Float, named: Float, units: Units) -> Interval:
    """Return the F1 of all labels together; 0 if nothing occurs.

    Args:
        actual: 0 and 1, of shape (N, C).
        named: of shape (N, C).
        units: of the items.
    """
    a, n, h = (column.sum(axis=1, keepdims=True) for column in (actual, named, actual * named))
    return _mean_f1(a, n, h, units)


def macro_f1(actual: Float, named: Float, units: Units) -> Interval:
    """Return the mean F1 of the labels that an item has or was given; 0 without any.

    Args:
        actual: 0 and 1, of shape (N, C).
        named: of shape (N, C).
        units: of the items.
    """
    return _mean_f1(actual, named, actual * named, units)


def _mean_f1(actual: Float, named: Float, hit: Float, units: Units) -> Interval:
    used = (actual + named).sum(axis=0) > 0
    actual, named, hit = actual[:, used], named[:, used], hit[:, used]
    if not used.any():
        return Interval(0.0, why="no label occurs")
    both, hits = (actual + named).sum(axis=0), hit.sum(axis=0)
    value = float((2 * hits / both).mean())
    n_items = [int((a > 0).sum()) for a in actual.T]
    n_alone, influences = _effective(actual + named, hit)
    variances = [(1 / n,) for n in n_alone]
    if freedom_of(variances, [(n,) for n in n_items]) < LEAST_FREEDOM:
        return Interval(value, why=units.too_few or "too few items that have the labels for an interval")

    return mean_of_shares(
        value,
        n_alone.tolist(),
        list(influences.T),
        variances,
        lambda units: [(units.count(np.flatnonzero(a)),) for a in actual.T],
        units,
    )


def _effective(both_NC: Float, hit_NC: Float) -> tuple[Float, Float]:
    """Return the effective number of items of each F1, of shape (C,), and the influences, of shape (N, C)."""
    both, hits = both_NC.sum(axis=0), hit_NC.sum(axis=0)
    influences = 2 * hit_NC / both - both_NC * (2 * hits / both**2)
    both, hits = both + 4, hits + 1
    f1 = 2 * hits / both
    smooth = (2 * hit_NC - both_NC * f1) / both
    added = np.square((2 - 2 * f1) / both) + 2 * np.square(f1 / both)
    return f1 * (1 - f1) / (np.square(smooth).sum(axis=0) + added), influences
