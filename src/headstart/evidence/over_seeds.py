"""Scores and paired differences that were measured with several seeds on the same held-out items.

v_ri is what seed r gives for item i: 1 or 0 for right and wrong, or a loss. Both the items and the seeds are
samples, so both count in the error (two-way clustering; Cameron, Gelbach and Miller 2011, equation 2.8):

    value    m = mean_ri v_ri
    error^2  V = V_items + V_seeds - V_both, at least the larger of the first two

V_items is the variance over units of the mean of the seeds (see `metrics.spread`), V_seeds = var_r(mean_i v_ri) / R,
and V_both the part of them that is counted twice, from what is left after the means of items and seeds. V is compared
with a t distribution whose 97.5% point lies between those of both parts, squares weighted by their variances (as in
the modified large-sample method; Burdick and Graybill 1992): with few seeds, Satterthwaite's degrees of freedom are too
many when the seeds happen to agree. The interval is that of the kind of number
(see `metrics.bounds`), on the number of independent items that would say as much.

With one seed the interval holds for that seed's draw of the training items only.

Legend: R seeds, N held-out items, G units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.metrics import Interval, Units
from headstart.metrics.bounds import mean, positive, share, share_difference, t_quantile
from headstart.metrics.spread import Float, unit_sums
from headstart.tasks import Task

_TINY = 1e-30


@dataclass(frozen=True)
class Spread:
    """How much a mean over seeds and items would differ with others.

    Attributes:
        of_items: variance from the held-out items.
        of_seeds: variance from the seeds, what is counted in `of_items` already left out.
        freedom: degrees of freedom of the whole.
    """

    of_items: float
    of_seeds: float
    freedom: float

    @property
    def variance(self) -> float:
        """The variance of the mean."""
        return self.of_items + self.of_seeds


def item_values(task: Task, outputs_NC: NDArray[np.floating], targets: NDArray[np.generic]) -> Float:
    """What one seed gives for each item, of shape (N,): 1 or 0 for classes, else a loss.

    Args:
        task: what was learned.
        outputs_NC: probabilities or values, of shape (N, C).
        targets: as `Targets.encode` gives them.
    """
    if task.verdict_metric == "accuracy":
        return np.asarray(task.item_quality(outputs_NC, targets), dtype=np.float64)
    return np.asarray(task.item_losses(outputs_NC, targets), dtype=np.float64)


def spread(values_RN: Float, units: Units) -> Spread:
    """The variances of the mean of values over seeds and items.

    Args:
        values_RN: of shape (R, N).
        units: of the items.
    """
    n_seeds, n_items = values_RN.shape
    infl_RN = (values_RN - values_RN.mean(axis=1, keepdims=True)) / n_items
    mean_N = infl_RN.mean(axis=0)
    of_items = units.variance(mean_N)
    if not units.are_items:  # units that happen to agree say no more than as many items
        of_items = max(of_items, units.as_items().variance(mean_N))
    if n_seeds < 2:
        return Spread(of_items, 0.0, units.freedom)
    of_seeds = float(values_RN.mean(axis=1).var(ddof=1)) / n_seeds
    sums_GR = unit_sums(units.numbers, units.n_units, infl_RN.T)
    rest_GR = sums_GR - sums_GR.mean(axis=1, keepdims=True)
    both = float(np.square(rest_GR).sum()) / (n_seeds * (n_seeds - 1))
    extra = max(of_seeds - both, of_seeds - of_items, 0.0)  # so that the sum is at least either of them
    return Spread(of_items, extra, _freedom(of_items, extra, units.freedom, n_seeds - 1))


def _freedom(of_items: float, of_seeds: float, items: float, seeds: float) -> float:
    """Degrees of freedom whose 97.5% point of t, squared, is the mean of those of both parts, weighted by variance."""
    from scipy.optimize import brentq

    low, high = sorted((items, seeds))
    if of_seeds <= _TINY or high - low < 1e-6:
        return items
    wanted = (of_items * t_quantile(items) ** 2 + of_seeds * t_quantile(seeds) ** 2) / (of_items + of_seeds)
    if wanted >= t_quantile(low) ** 2:
        return low
    if wanted <= t_quantile(high) ** 2:
        return high
    return float(brentq(lambda freedom: t_quantile(freedom) ** 2 - wanted, low, high, rtol=1e-6))


def score(values_RN: Float, units: Units, kind: str) -> Interval:
    """The mean score over seeds and items, with its interval.

    Args:
        values_RN: of each item under each seed, of shape (R, N).
        units: of the items.
        kind: "accuracy" (values are 1 or 0), "log_loss", or "rmse" (values are squared errors).
    """
    value = float(values_RN.mean())
    shown = value**0.5 if kind == "rmse" else value
    if units.too_few:
        return Interval(shown, why=units.too_few)
    found = spread(values_RN, units)
    if kind == "accuracy":
        n_items = values_RN.shape[1]
        alone = value * (1 - value)
        n_effective = min(n_items, alone / found.variance) if found.variance > _TINY else n_items
        return share(value, n_effective, found.freedom)
    if value <= 0 or found.variance <= _TINY:
        return Interval(shown, why="all items have the same loss")
    relative = found.variance**0.5 / value
    return positive(shown, relative / 2 if kind == "rmse" else relative, found.freedom)


@dataclass(frozen=True)
class Gain:
    """A paired difference of two scores, first minus second.

    Attributes:
        interval: the difference in the metric, with its 95% interval.
        p: two-sided p value of no difference; 1 if it cannot be computed.
        better: whether the first is the better one (its sign in the direction of the metric).
        spread: where its error comes from; None if it cannot be computed.
    """

    interval: Interval
    p: float
    better: bool
    spread: Spread | None = None


def gain(values_RN: Float, others_RN: Float, units: Units, kind: str, *, least_items: int = 0) -> Gain:
    """The paired difference of two results with its interval and p value.

    Args:
        values_RN: of each item under each seed by the first, of shape (R, N).
        others_RN: the same by the second, with the same seeds.
        units: of the items.
        kind: what the values are (see `score`).
        least_items: number of items below which there is no interval.
    """
    gain_RN = values_RN - others_RN
    scale = 1.0
    if kind == "rmse":  # sqrt(a) - sqrt(b) = (a - b) / (sqrt(a) + sqrt(b))
        scale = 1 / max(float(values_RN.mean() ** 0.5 + others_RN.mean() ** 0.5), 1e-300)
    value = float(gain_RN.mean()) * scale
    better = value > 0 if kind == "accuracy" else value < 0
    n_items = gain_RN.shape[1]
    why = units.too_few
    if n_items < least_items:
        why = f"{n_items} items, {least_items} are needed for a verdict"
    if why:
        return Gain(Interval(value, why=why), 1.0, better)
    if kind == "accuracy":
        return _of_shares(gain_RN, units, value, better)
    return _of_losses(gain_RN, units, value, scale, better)


def _of_shares(gain_RN: Float, units: Units, value: float, better: bool) -> Gain:
    """Tango's interval and McNemar's test on effective numbers of items."""
    from scipy.stats import t

    found = spread(gain_RN, units)
    n_seeds, n_items = gain_RN.shape
    mean_N = gain_RN.mean(axis=0)
    n_better, n_worse = float(np.maximum(mean_N, 0).sum()), float(np.maximum(-mean_N, 0).sum())
    # One item more on either side, so that a handful of items that all agree do not give an error of 0.
    least = (float(np.square(mean_N).sum()) + 2 / n_seeds) / (n_items + 2) ** 2 - value**2 / (n_items + 2)
    plain = (n_better + n_worse) / n_items**2 - value**2 / n_items
    if plain <= _TINY:  # the same on every item
        p = 1.0 if value == 0 else float(2 * t.sf(n_items**0.5, found.freedom))
        return Gain(share_difference(n_better, n_worse, n_items, found.freedom), p, better, found)
    effect = max(found.variance, least if n_seeds > 1 else 0.0) / plain
    effect = max(effect, 1.0) if n_seeds == 1 else effect
    interval = share_difference(n_better / effect, n_worse / effect, n_items / effect, found.freedom)
    z = abs(n_better - n_worse) / ((n_better + n_worse) * effect) ** 0.5
    return Gain(interval, float(2 * t.sf(z, found.freedom)), better, found)


def _of_losses(gain_RN: Float, units: Units, value: float, scale: float, better: bool) -> Gain:
    from scipy.stats import t

    found = spread(gain_RN, units)
    error = scale * found.variance**0.5
    if error <= _TINY:
        why = "the losses of both results differ by the same on every item"
        return Gain(Interval(value, why=why), 1.0, better, found)
    p = float(2 * t.sf(abs(value) / error, found.freedom))
    return Gain(mean(value, error, found.freedom), p, better, found)


def holm(p: NDArray[np.floating]) -> Float:
    """P values adjusted for looking at several of them (Holm 1979), of the same shape."""
    order = np.argsort(p)
    factors = len(p) - np.arange(len(p))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(np.asarray(p)[order] * factors))
    return adjusted


def inverted(differences: Callable[[float], Float], grid: NDArray[np.floating], units: Units) -> Float | None:
    """The places at which a mean difference cannot be told from 0 (inverse regression).

    Args:
        differences: of x, of shape (R, N).
        grid: values of x that are tried, rising.
        units: of the items.

    Returns:
        Those of the grid in the 95% confidence set, rising; empty if it clearly differs from 0 everywhere; None if
        the units are too few.
    """
    if units.too_few:
        return None
    inside = []
    for x in grid:
        values_RN = differences(float(x))
        found = spread(values_RN, units)
        error = max(found.variance, _TINY) ** 0.5
        if abs(float(values_RN.mean())) <= t_quantile(found.freedom) * error:
            inside.append(float(x))
    return np.array(inside)
