"""The difference of two scores that were measured on different items, with its interval.

MOVER, the method of variance estimates recovery (Zou and Donner 2008): each end of the interval of the difference
takes from both intervals the ends that lie that way,

    low  = (a - b) - sqrt((a - low_a)^2 + (high_b - b)^2)
    high = (a - b) + sqrt((high_a - a)^2 + (b - low_b)^2)

With Wilson's intervals of two shares this is method 10 of Newcombe (1998b), which holds for few items and for shares
near 0 or 1. It asks nothing of a metric but its interval.
"""

from __future__ import annotations

import math

from headstart.metrics.interval import Interval


def independent_difference(first: Interval, second: Interval) -> Interval:
    """Return the difference of two scores on different items, the first minus the second.

    Args:
        first: with its 95% interval.
        second: the same metric on items that have nothing to do with those of the first.

    Returns:
        With its 95% interval; with the reason if one of them has none; without a value if one of them has none.

    Example:
        >>> str(independent_difference(Interval(0.8, 0.7, 0.87), Interval(0.9, 0.82, 0.94)))
        '-0.100 (-0.208 to 0.006)'
    """
    if first.value is None or second.value is None:
        return Interval(None)
    value = first.value - second.value
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Interval(value, why=first.why or second.why)
    low = value - math.hypot(first.value - first.low, second.high - second.value)
    high = value + math.hypot(first.high - first.value, second.value - second.low)
    return Interval(value, low, high)
