"""The interval of a mean of several shares of the same items: the AUROC of each class, the F1 of each label.

Each share has its own effective number of items n_c. Their mean would have C times as many if they were independent;
how alike they are is seen in the influences of the items, and so is the design effect of the units:

    n = 1 / mean(1 / n_c) / alike / design effect,     alike = |mean of the influences|^2 / mean |influence|^2

Legend: N items, C shares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from headstart.metrics.bounds import bounded, share
from headstart.metrics.class_shares import pooled_freedom
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Float, Units

Parts = Sequence[tuple[float, ...]]  # of each share, one number per side of it


def mean_of_shares(
    value: float,
    n_alone: Sequence[float],
    influences: Sequence[Float],
    variances: Parts,
    n_units: Callable[[Units], Parts],
    units: Units,
) -> Interval:
    """Return the interval of a mean of shares.

    Args:
        value: the mean.
        n_alone: effective number of items of each share, if items are independent.
        influences: of each item on each share, C of shape (N,).
        variances: of the sides of each share, in any common unit.
        n_units: how many units are behind each of these, for some units.
        units: of the items.
    """
    influence = np.mean(influences, axis=0)
    n_effective = float(1 / np.mean([1 / n for n in n_alone]) / _alike(influence, influences))

    def make(units: Units) -> Interval:
        freedom = min(units.freedom, freedom_of(variances, n_units(units)))
        return share(value, n_effective / units.design_effect(influence), freedom)

    return bounded(value, units, make)


def _alike(mean: Float, influences: Sequence[Float]) -> float:
    """Return the variance of a mean of shares, as a share of their own mean variance."""
    own = float(np.mean([np.square(influence).sum() for influence in influences]))
    return 1.0 if own <= 1e-30 else max(float(np.square(mean).sum()) / own, 1e-6)


def freedom_of(variances: Parts, counts: Parts) -> float:
    """Return the degrees of freedom of the sum of all variances."""
    return pooled_freedom(
        np.concatenate([np.asarray(v, np.float64) for v in variances]),
        np.concatenate([np.asarray(n, np.float64) for n in counts]),
    )
