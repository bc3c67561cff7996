"""What a fit is expected to reach on its held-out part, from a cross-validation on its training part.

The interval holds the held-out result in 95 of 100 cases, so it counts two errors: that of the cross-validated mean
(wider than its standard error over items says, see `evidence.folds`), and that of a mean over the held-out items alone.

Legend: N items, G units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.metrics import Interval, Units
from headstart.metrics.bounds import t_quantile
from headstart.metrics.spread import share_error, standard_error
from headstart.tasks import Task


@dataclass(frozen=True, eq=False)
class HeldOut:
    """How much a held-out result may differ from a cross-validated one.

    Attributes:
        units: what belongs together among the N items that were cross-validated.
        widen: factor of a cross-validated standard error.
        n_equal: number of equal units that say as much as the held-out part; 0 without one, which gives the interval
            of the mean on new items.
    """

    units: Units
    widen: float
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
        return cls(Units.of(units, n_items), widen, n_equal)

    def result(self, expected: float, quality_N: np.ndarray, task: Task) -> Interval:
        """Return the expected held-out result with its 95% interval, cut to what it can be.

        Args:
            expected: mean quality on new items.
            quality_N: cross-validated, of each item.
            task: what the quality can be.
        """
        if self.units.too_few:
            return Interval(expected, why=self.units.too_few)
        error = (share_error if task.one_per_item else standard_error)(quality_N, self.units)
        share = (self.units.freedom + 1) / self.n_equal if self.n_equal else 0.0
        half = float(t_quantile(self.units.freedom)) * error * np.sqrt(self.widen**2 + share)
        return Interval(
            expected, float(max(expected - half, task.least_quality)), float(min(expected + half, 1.0))
        )
