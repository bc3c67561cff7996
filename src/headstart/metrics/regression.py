"""The metrics of a quantity on held-out items, each with a 95% interval.

rmse, mae (in the unit of the target); r2 (share of the variance explained); spearman (correlation of the ranks,
ties at their mean). Intervals (see `bounds`): rmse and mae through their logarithm; r2 through the logarithm of
1 - r2 = (sum of squared errors) / (sum of squares around the mean); spearman through Fisher's z with the larger of
two variances: (1 + rho^2 / 2) / (N - 3) of Bonett and Wright (2000), and that of the influences of the items.

Legend: N items.

Example:
    >>> round(value_metrics(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))["mae"].value, 3)
    0.333
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError
from headstart.metrics.bounds import bounded, correlation, t_quantile
from headstart.metrics.catalogue import in_order
from headstart.metrics.classification import mean_loss
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Float, Units
from headstart.units import counted

LEAST_RANKED = 5  # items below which a correlation of ranks gets no interval


def value_metrics(
    values: NDArray[Any],
    predicted: NDArray[Any],
    units: Units | NDArray[Any] | None = None,
) -> dict[str, Interval]:
    """Return every metric with its interval.

    Args:
        values: the truth, of shape (N,) or (N, 1), N >= 1.
        predicted: of the same shape.
        units: what belongs together, of shape (N,); None: every item is a unit of its own.

    Returns:
        By name; r2 and spearman have value None if all values are equal.
    """
    y, p = checked_values(values, predicted)
    units = Units.of(units, len(y))
    middle = y.mean()  # without it, sums of squares keep their digits
    y, p = y - middle, p - middle
    result = {
        "rmse": mean_loss(np.square(y - p), units, power=0.5),
        "mae": mean_loss(np.abs(y - p), units),
        "r2": r2(y, p, units),
        "spearman": spearman(y, p, units),
    }
    return {key: result[key] for key in in_order(result)}


def checked_values(values: NDArray[Any], predicted: NDArray[Any]) -> tuple[Float, Float]:
    """Return truth and predictions as float64 of shape (N,), refused when they do not belong together."""
    y, p = np.asarray(values, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if y.shape != p.shape or y.size == 0 or y.size != len(y):
        raise DataError(
            f"Metrics of a quantity need one value and one prediction per item, got {y.shape} and {p.shape}."
        )
    if not (np.isfinite(y).all() and np.isfinite(p).all()):
        raise DataError("Metrics need finite numbers; some are not.")
    return y.reshape(-1), p.reshape(-1)


def r2(y: Float, p: Float, units: Units) -> Interval:
    """Return the share of the variance explained, with its interval.

    Args:
        y: the truth, of shape (N,).
        p: the predictions, of shape (N,).
        units: of the items.
    """
    errors, total = np.square(y - p), float(np.square(y - y.mean()).sum())
    if total <= 1e-12 * max(float(np.square(y).sum()), 1e-300):
        return Interval(None)
    left = float(errors.sum()) / total

    def make(units: Units) -> Interval:
        n, own, linear, squares = units.without(np.stack([np.ones(len(y)), errors, y, y**2], axis=1)).T
        spread_without = squares - linear**2 / n
        if own.min() <= 0 or spread_without.min() <= 1e-12 * total:
            return Interval(
                1 - left, why="no error, or all of it in one unit, so nothing shows how much it varies"
            )
        error = units.jackknife(np.log(own / spread_without)) ** 0.5
        factor = math.exp(min(700.0, t_quantile(units.freedom) * error))
        return Interval(1 - left, 1 - left * factor, 1 - left / factor)

    return bounded(1 - left, units, make)


def spearman(y: Float, p: Float, units: Units) -> Interval:
    """Return the correlation of the ranks, with its interval; not defined if one side does not vary.

    Args:
        y: the truth, of shape (N,).
        p: the predictions, of shape (N,).
        units: of the items.
    """
    from scipy.stats import rankdata

    a, b = _standardised(rankdata(y)), _standardised(rankdata(p))
    if a is None or b is None:
        return Interval(None)
    value = float(np.clip((a * b).mean(), -1, 1))

    def make(units: Units) -> Interval:
        if len(y) < LEAST_RANKED:
            return Interval(
                value, why=f"{counted(len(y), 'items')}, {LEAST_RANKED} are needed for an interval"
            )
        if abs(value) > 1 - 1e-12:
            return Interval(value, why="the order is perfect, so nothing shows how much it varies")
        influence = (a * b - value * (np.square(a) + np.square(b)) / 2) / len(y)
        n_effective = len(y) / units.design_effect(influence)
        formula = (1 + value**2 / 2) / max(n_effective - 3, 1.0)
        error = math.sqrt(max(formula, units.variance(influence) / (1 - value**2) ** 2))
        return correlation(value, error, units.freedom)

    return bounded(value, units, make)


def _standardised(ranks: Float) -> Float | None:
    centred = ranks - ranks.mean()
    deviation = float(centred.std())
    return centred / deviation if deviation > 0 else None
