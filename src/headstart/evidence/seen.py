"""The scores without the held-out items that the source has seen in its own training, beside those with them.

The difference is that of two means of one result, over L items that were not seen and over all N items. Both vary
together, so it is paired: item i adds to it, to first order,

    psi_i = [i not seen] (x_i - mean_L) / L - (x_i - mean_N) / N

and its variance counts units, as that of every score (`metrics.spread`). How many items were seen counts as drawn, as
the items are: for a fixed number the interval is somewhat too wide.

Legend: N items, C outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.evidence.shift import value_and_spread
from headstart.metrics.bounds import bounded, mean
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Units
from headstart.tasks import Task

LEAST_LEFT = 10  # independent units that were not seen, below which their spread says nothing


@dataclass(frozen=True, eq=False)
class WithoutSeen:
    """What a result reaches on the items that the source has not seen.

    Attributes:
        n_left: number of these items.
        test: metric to interval on them; empty if there are none.
        metric: key of the metric of `difference`.
        difference: without the seen items minus with them, paired, with its 95% interval.
    """

    n_left: int
    test: Mapping[str, Interval]
    metric: str
    difference: Interval

    def to_json(self) -> dict[str, Any]:
        """The same as a dictionary that JSON can hold."""
        return {
            "n_items": self.n_left,
            "test": {name: score.to_json() for name, score in self.test.items()},
            "metric": self.metric,
            "difference": self.difference.to_json(),
        }


def without_seen(
    task: Task,
    targets: NDArray[Any],
    outputs_NC: NDArray[np.floating],
    seen_N: NDArray[np.bool_],
    units: Units | NDArray[Any] | None = None,
) -> WithoutSeen:
    """Measure a result without the items that its source has seen.

    Args:
        task: what is learned.
        targets: of all held-out items, as `Targets.encode` gives them.
        outputs_NC: probabilities or values of the result.
        seen_N: which items the source has seen.
        units: what belongs together, of shape (N,); None: every item is a unit of its own.
    """
    left = np.flatnonzero(~seen_N)
    if not len(left):
        why = "the source has seen every held-out item"
        return WithoutSeen(0, {}, task.quality, Interval(None, why=why))
    units = Units.of(units, len(seen_N))
    n_left = units.count(left)
    with_them, spread = value_and_spread(task, outputs_NC, targets)
    without, own_spread = value_and_spread(task, outputs_NC[left], targets[left])
    influence = -(spread - spread.mean()) / len(spread)
    influence[left] += (own_spread - own_spread.mean()) / len(left)
    difference = without - with_them

    def make(units: Units) -> Interval:
        error = units.variance(influence) ** 0.5
        if error <= 0:
            return Interval(difference, why="the quality is the same on every item")
        return mean(difference, error, units.freedom)

    why = f"{n_left} independent units were not seen, {LEAST_LEFT} are needed for an interval"
    found = bounded(difference, units, make) if n_left >= LEAST_LEFT else Interval(difference, why=why)
    scores = task.metrics(targets[left], outputs_NC[left], units.of_some(left))
    return WithoutSeen(len(left), scores, task.quality, found)
