"""Simple statistics of the items of two domains, compared one by one.

    difference = (mean_target - mean_source) / deviation within domains      (Cohen's d, 1988)
    variance   = 1 / n_source + 1 / n_target + difference^2 / (2 (n_source + n_target))

(Hedges and Olkin 1985, "Statistical methods for meta-analysis", chapter 5, equation 14). Items of one group are not
independent: with groups, the mean of each group is one value.

Legend: N source items, M target items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Float
from headstart.metrics.interval import Interval
from headstart.metrics.spread import unit_numbers

LARGE = 0.8  # Cohen's "large"
MOST = 10.0  # deviations; a statistic that is the same for all items of each domain has no spread to count in


@dataclass(frozen=True)
class Difference:
    """One statistic in both domains.

    Attributes:
        name: what it is, for a reader.
        source, target: its mean.
        difference: standardised, at most `MOST`.
    """

    name: str
    source: float
    target: float
    difference: Interval

    @property
    def is_large(self) -> bool:
        """Whether the domains differ by more than `LARGE`, beyond chance."""
        low, high = self.difference.low, self.difference.high
        return low is not None and high is not None and (low > LARGE or high < -LARGE)

    def to_json(self) -> dict[str, Any]:
        """The same as a dictionary that JSON can hold."""
        return {
            "name": self.name,
            "source": self.source,
            "target": self.target,
            "difference": self.difference.to_json(),
        }


def compare(
    source: Mapping[str, Float],
    target: Mapping[str, Float],
    groups_N: NDArray[Any] | None = None,
    groups_M: NDArray[Any] | None = None,
) -> tuple[Difference, ...]:
    """Compare the statistics of two domains.

    Args:
        source: name to values of the source items, each of shape (N,).
        target: the same names, values of shape (M,).
        groups_N: what belongs together in the source; None: every item is on its own.
        groups_M: the same of the target.
    """
    return tuple(
        _difference(name, _by_group(source[name], groups_N), _by_group(target[name], groups_M))
        for name in source
    )


def _by_group(values: Float, groups: NDArray[Any] | None) -> Float:
    numbers, n_units = unit_numbers(groups, len(values))
    counts = np.bincount(numbers, minlength=n_units)
    return np.asarray(np.bincount(numbers, weights=values, minlength=n_units) / counts)


def _difference(name: str, source: Float, target: Float) -> Difference:
    means = float(source.mean()), float(target.mean())
    freedom = len(source) + len(target) - 2
    if min(len(source), len(target)) < 2:
        return Difference(name, *means, Interval(None, why="too few items or groups"))
    squares = np.square(source - means[0]).sum() + np.square(target - means[1]).sum()
    # a statistic that is the same for all items of both domains must not be divided by rounding
    deviation = max(float(np.sqrt(squares / freedom)), 1e-6 * abs(means[0]), 1e-12)
    value = float(np.clip((means[1] - means[0]) / deviation, -MOST, MOST))
    error = float(np.sqrt(1 / len(source) + 1 / len(target) + value**2 / (2 * (freedom + 2))))
    return Difference(name, *means, Interval(value, value - 1.96 * error, value + 1.96 * error))
