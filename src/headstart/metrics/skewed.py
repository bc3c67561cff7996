"""The 95% interval of a mean of skewed numbers, such as losses, of which a few are much larger than the others.

A mean of 20 or 40 skewed numbers is itself skewed, and value +- t se holds the truth in 83 to 89% of cases. Hall's
cubic transformation (1992, "On the removal of skewness by transformation") makes the studentised mean symmetric: with
skewness s of n units and a = s / sqrt(n),

    low, high = mean - se g(t), mean - se g(-t),     g(x) = 3 / a ((1 + a (x - a / 6))^(1/3) - 1)

Standard error and skewness are those of the sums over units (`spread`), t is the 97.5% point at their degrees of
freedom.

Example:
    >>> losses = np.random.default_rng(0).exponential(size=40)
    >>> found = skewed_mean(losses)
    >>> found.high - found.value > found.value - found.low
    True
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.bounds import bounded, t_quantile
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Units, unit_sums
from headstart.units import counted

LEAST_ITEMS = 30  # fewer do not show how skewed the numbers are


def skewed_mean(values: NDArray[np.floating], units: Units | NDArray[Any] | None = None) -> Interval:
    """Return the mean with its interval; no interval if all values are equal, or of fewer than 30.

    Args:
        values: of shape (N,).
        units: what belongs together, of shape (N,); None: every item is a unit of its own.
    """
    values = np.asarray(values, dtype=np.float64)
    units = Units.of(units, len(values))
    mean = float(values.mean())
    residual = values - mean
    if len(values) < LEAST_ITEMS:
        return Interval(
            mean, why=f"{counted(len(values), 'items')}, {LEAST_ITEMS} are needed for an interval"
        )

    def make(units: Units) -> Interval:
        error = units.variance(residual / len(values)) ** 0.5
        if error <= 1e-15 * max(1.0, abs(mean)):
            return Interval(mean, why="the same number for every item")
        sums = unit_sums(units.numbers, units.n_units, residual[:, None])[:, 0]
        skewness = float(np.mean(sums**3) / np.mean(sums**2) ** 1.5)
        a, t = skewness / (units.freedom + 1) ** 0.5, t_quantile(units.freedom)
        return Interval(mean, mean - error * _straightened(t, a), mean - error * _straightened(-t, a))

    return bounded(mean, units, make)


def _straightened(x: float, a: float) -> float:
    """Return g(x) of above; x itself without skewness."""
    return x if abs(a) < 1e-6 else float(3 / a * (np.cbrt(1 + a * (x - a / 6)) - 1))
