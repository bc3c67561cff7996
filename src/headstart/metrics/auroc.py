"""Area under the ROC curve, exact for ties; the mean over several rankings of the same items, with its interval.

    area = mean over i inside, j outside of [s_i > s_j] + [s_i = s_j] / 2

An item's placement is the share of the other side that it is ranked correctly against. The variance of an area comes
from two sources: its placements (DeLong et al. 1988; 0 if the ranking is perfect), and

    area (1 - area) (1 + m (1 - area) / (2 - area) + m area / (1 + area)) / (n_in n_out),  m = (n_in + n_out) / 2 - 1

(Hanley and McNeil 1982 in the form of Newcombe 2006, method 5, which holds for a few items and a perfect ranking, but
not if the two sides spread differently). Of what the second is above the first, 40 / (40 + items of the smaller side)
is added: 40 by simulation. The sum gives the effective number of items of Wilson's interval (see `bounds`), and
Satterthwaite's degrees of freedom, which the smaller side decides.

Legend: N items, C rankings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.class_shares import LEAST_FREEDOM
from headstart.metrics.interval import Interval
from headstart.metrics.mean_shares import freedom_of, mean_of_shares
from headstart.metrics.spread import Float, Units

FEW = 40  # items of the smaller side at which half of the excess of the formula counts

LEAST_PER_CLASS = 5  # items per class, on average over several classes
Side = tuple[NDArray[np.bool_], Float]  # who is inside, and the scores, each of shape (N,)


def auroc(labels: NDArray[np.integer], probabilities: Float, units: Units) -> Interval:
    """Return the mean over classes of one class against the rest; not defined if a class is absent.

    Args:
        labels: class numbers, of shape (N,).
        probabilities: of shape (N, C).
        units: of the items.
    """
    n_classes = probabilities.shape[1]
    if n_classes < 2 or np.bincount(labels, minlength=n_classes).min() == 0:
        return Interval(None)
    columns = [1] if n_classes == 2 and np.allclose(probabilities.sum(axis=1), 1) else list(range(n_classes))
    return mean_area([(labels == c, probabilities[:, c]) for c in columns], units)


def mean_area(sides: list[Side], units: Units) -> Interval:
    """Return the mean area of several rankings of the same items; not defined without any.

    Args:
        sides: for each ranking, who is inside and the scores; both sides must be there.
        units: of the items.
    """
    if not sides:
        return Interval(None)
    rankings = [_Ranking.of(inside, scores, units) for inside, scores in sides]
    value = float(np.mean([ranking.area for ranking in rankings]))
    counts = [ranking.n_items for ranking in rankings]
    if len(rankings) > 2 and np.mean([n_in for n_in, _ in counts]) < LEAST_PER_CLASS:
        why = f"fewer than {LEAST_PER_CLASS} items per class, too few for an interval"
        return Interval(value, why=units.too_few or why)
    if freedom_of([(1 / n_in, 1 / n_out) for n_in, n_out in counts], counts) < LEAST_FREEDOM:
        return Interval(value, why=units.too_few or "too few items on one side for an interval")

    return mean_of_shares(
        value,
        [ranking.n_effective for ranking in rankings],
        [ranking.influence for ranking in rankings],
        [ranking.variances for ranking in rankings],
        lambda units: counts if units.are_items else [ranking.n_units for ranking in rankings],
        units,
    )


@dataclass(frozen=True, eq=False)
class _Ranking:
    """One area, the variances of its two sides with the items and units there, and the influence of each item."""

    area: float
    n_effective: float
    variances: tuple[float, float]
    n_items: tuple[int, int]
    n_units: tuple[int, int]
    influence: Float

    @classmethod
    def of(cls, inside: NDArray[np.bool_], scores: Float, units: Units) -> _Ranking:
        placement = placements(inside, scores)
        sides = (np.flatnonzero(inside), np.flatnonzero(~inside))
        n_in, n_out = len(sides[0]), len(sides[1])
        area = float(placement[inside].mean())
        own = [float(placement[side].var()) / max(len(side) - 1, 1) for side in sides]
        m = (n_in + n_out) / 2 - 1
        n_effective = n_in * n_out / (1 + m * (1 - area) / (2 - area) + m * area / (1 + area))
        formula = area * (1 - area) / n_effective
        if formula > 0:
            excess = max(0.0, formula - sum(own)) * FEW / (FEW + min(n_in, n_out))
            n_effective *= formula / (sum(own) + excess)
        influence = (placement - area) / np.where(inside, n_in, n_out)
        variances = (own[0], own[1]) if sum(own) > 0 else (1 / n_in, 1 / n_out)
        n_units = [units.count(side) for side in sides]
        return cls(area, n_effective, variances, (n_in, n_out), (n_units[0], n_units[1]), influence)


def placements(inside: NDArray[np.bool_], scores: Float) -> Float:
    """Return the share of the other side that each item is ranked correctly against, ties half, of shape (N,).

    Args:
        inside: of shape (N,).
        scores: of shape (N,).
    """
    placement = np.zeros(len(scores))
    sorted_in, sorted_out = np.sort(scores[inside]), np.sort(scores[~inside])
    for one, other in ((inside, sorted_out), (~inside, sorted_in)):
        left = np.searchsorted(other, scores[one], side="left")
        right = np.searchsorted(other, scores[one], side="right")
        placement[one] = (left + right) / (2 * len(other))
    placement[~inside] = 1 - placement[~inside]
    return placement
