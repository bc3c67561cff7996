"""What a fit is expected to reach on its held-out part, from a cross-validation on its training part.

The interval holds the held-out result in 95 of 100 cases, so it counts two errors: that of the cross-validated mean
(wider than its standard error over items says, see `evidence.folds`), and that of a mean over the held-out items alone.
Groups of the two parts may differ in number and size, so the variance of an item is split into that between groups and
that inside of them, by the method of moments.

Legend: N items, G units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.metrics import Interval, Units
from headstart.metrics.bounds import t_quantile
from headstart.metrics.spread import share_error, standard_error
from headstart.tasks import Task


@dataclass(frozen=True)
class Variances:
    """The two errors of a prediction, squared.

    Attributes:
        cross_validated: of the cross-validated mean.
        held_out: of a mean over the held-out items; 0 without any.
    """

    cross_validated: float
    held_out: float

    def at_least(self, other: Variances) -> Variances:
        """The larger of each."""
        return Variances(max(self.cross_validated, other.cross_validated), max(self.held_out, other.held_out))


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The two parts of a data set: what was cross-validated, and what a fit holds out.

    Attributes:
        units: what belongs together among the N items that were cross-validated.
        widen: factor of a cross-validated standard error.
        n_items: number of held-out items; 0 without any, which gives the interval of the mean on new items.
        n_equal: number of equal units that say as much as the held-out ones.
    """

    units: Units
    widen: float
    n_items: int = 0
    n_equal: float = 0.0

    @classmethod
    def of(
        cls,
        units: np.ndarray | None,
        n_items: int,
        *,
        widen: float,
        held_out_units: np.ndarray | None,
        n_held_out: int,
    ) -> HeldOut:
        """The two parts of a data set.

        Args:
            units: of the cross-validated items, of shape (N,); None: every item is a unit of its own.
            n_items: N.
            widen: factor of a cross-validated standard error.
            held_out_units: the same of the held-out items.
            n_held_out: number of these.
        """
        n_equal = Units.of(held_out_units, n_held_out).freedom + 1 if n_held_out else 0.0
        return cls(Units.of(units, n_items), widen, n_held_out, n_equal)

    def variances(self, quality_N: np.ndarray, task: Task) -> Variances:
        """Return how far a held-out result may be from the cross-validated mean of a source.

        Args:
            quality_N: cross-validated, of each item; for a ratio its influences (`influences`).
            task: whether an item is right or wrong.
        """
        n_items = len(quality_N)
        error = (share_error if task.one_per_item else standard_error)(quality_N, self.units)
        of_item = float(np.var(quality_N)) if not task.one_per_item else _share_variance(quality_N)
        held_out = 0.0
        if self.n_items:
            n_groups = self.units.freedom + 1
            apart = 1 / n_groups - 1 / n_items
            between = (error**2 - of_item / n_items) / apart if apart > 1e-12 else 0.0
            between = float(np.clip(between, 0.0, of_item))
            held_out = between / self.n_equal + (of_item - between) / self.n_items
        return Variances((self.widen * error) ** 2, held_out)

    def result(self, expected: float, variances: Variances, task: Task) -> Interval:
        """Return the expected held-out result with its 95% interval, cut to what it can be.

        Args:
            expected: mean quality on new items.
            variances: of the source; at least those that are usual among the sources, since the one that comes first
                comes first because its items looked so good.
            task: what the quality can be.
        """
        if self.units.too_few:
            return Interval(expected, why=self.units.too_few)
        error = np.sqrt(variances.cross_validated + variances.held_out)
        half = float(t_quantile(self.units.freedom)) * error
        low, high = max(expected - half, task.least_quality), min(expected + half, 1.0)
        return Interval(expected, float(low), float(high))


def usual(found: list[Variances]) -> Variances:
    """The mean variances of several sources."""
    return Variances(
        float(np.mean([each.cross_validated for each in found])),
        float(np.mean([each.held_out for each in found])),
    )


def influences(quality_N: np.ndarray, constant_losses_N: np.ndarray) -> np.ndarray:
    """Return what each item adds to 1 - loss / loss of the constant answer, of shape (N,).

    Both means vary with the items, so the share is a ratio: to first order item i adds
    q_i - 1 + (1 - Q) c_i / mean(c), where Q is the mean of q (the delta method).

    Args:
        quality_N: 1 - loss of each item / mean loss of the constant answer.
        constant_losses_N: c, the losses of the constant answer.
    """
    mean = max(float(constant_losses_N.mean()), 1e-300)
    return np.asarray(quality_N - 1 + (1 - quality_N.mean()) * constant_losses_N / mean)


def _share_variance(right_N: np.ndarray) -> float:
    """The variance of an item that is right or wrong, one of each added, so that it is not 0 if all are right."""
    share = (float(right_N.sum()) + 1) / (len(right_N) + 2)
    return share * (1 - share)
