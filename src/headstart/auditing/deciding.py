"""What would decide an undecided comparison, if the difference is what it seems: held-out items, seeds, or nothing.

The variance of a difference is V_items + V_seeds: the first falls with the number of held-out items, the second with
the number of seeds. A difference d is told from 0 if d^2 > t^2 (V_items + V_seeds), with t about 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from headstart.evidence.over_seeds import Gain

_T2 = 2.0**2
_MOST_TIMES = 50.0  # more than this many times the items, or seeds, is no advice
_MORE_POWER = 2.0  # for even odds d^2 = t^2 V is enough; twice that gives about 80%


def what_decides(gains: Mapping[str, Gain], against: str, n_seeds: int) -> str:
    """What would decide it, as a clause.

    Args:
        gains: the differences from each method without pretrained weights, by name.
        against: the one that was chosen on training items.
        n_seeds: that the difference was measured with.
    """
    own = gains[against]
    if own.better:  # a positive verdict has to hold against each of them
        own = max(gains.values(), key=lambda each: each.p if each.better else 2.0)
    if own.interval.why and own.spread is None:
        return own.interval.why
    if own.spread is None or own.interval.value is None or not own.better == gains[against].better:
        return "another method without pretrained weights is as good, so nothing more would show a gain"
    # The value and the variance of an accuracy are in the same unit; of a root they are not, so its own ratio is used.
    least = _difference_squared(own) / (_T2 * _MORE_POWER)
    items, seeds = own.spread.of_items, own.spread.of_seeds
    if least <= 0:
        return "the difference is 0: nothing would decide it"
    if seeds < least:
        times = items / (least - seeds)
        if times <= _MOST_TIMES:
            return (
                f"if the difference is what it seems, about {math.ceil(max(times, 1.1) * 10) / 10:.1f} times as many "
                "held-out items would decide it"
            )
    if items < least:
        wanted = math.ceil(n_seeds * seeds / (least - items))
        if n_seeds < wanted <= _MOST_TIMES * n_seeds:
            return f"if the difference is what it seems, about {wanted} seeds would decide it (--seeds {wanted})"
    share = seeds / least
    if 1 < share <= _MOST_TIMES:
        return f"about {math.ceil(2 * n_seeds * share)} seeds and {math.ceil(2 * items / least)} times as many held-out items would decide it"
    return "the difference is too small for any number of items that can be had: treat both as equal"


def _difference_squared(own: Gain) -> float:
    """The square of the difference, in the unit of its variance."""
    from scipy.stats import t

    assert own.spread is not None and own.interval.value is not None
    if own.p >= 1:
        return 0.0
    ratio = float(t.isf(max(own.p, 1e-300) / 2, own.spread.freedom))
    return ratio**2 * own.spread.variance
