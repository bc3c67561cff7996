"""What would decide an undecided comparison, if the difference is what it seems: held-out items, seeds, or nothing.

The variance of a difference is V_items + V_seeds: the first falls with the number of held-out items, the second with
the number of seeds. A difference d is found in about 80% of cases if d^2 = 8 (V_items + V_seeds) (a test at 5%).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from headstart.evidence.over_seeds import Gain

_WANTED = (1.96 + 0.84) ** 2
_MOST_TIMES = 50.0  # more than this many times the items, or the seeds, is no advice
_SEEMS = "if the difference is what it seems,"


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
    if own.spread is None:
        return own.interval.why
    if own.better != gains[against].better:
        return "nothing: another method without pretrained weights is as good"
    enough = _squared(own) / _WANTED  # the variance at which the difference would be found
    items, seeds = own.spread.of_items, own.spread.of_seeds
    if enough <= 0 or max(items, seeds) > _MOST_TIMES * enough:
        return "nothing: the difference is too small, so treat both as equal"
    if items < enough / 2:
        wanted = math.ceil(n_seeds * seeds / (enough - items))
        return f"{_SEEMS} about {wanted} seeds would decide it (--seeds {wanted})"
    if seeds < enough / 2:
        return f"{_SEEMS} about {items / (enough - seeds):.1f} times as many held-out items would decide it"
    more_seeds = math.ceil(2 * n_seeds * seeds / enough)
    more_items = f"{2 * items / enough:.1f} times as many held-out items"
    return f"{_SEEMS} about {more_seeds} seeds and {more_items} would decide it"


def _squared(own: Gain) -> float:
    """The square of the difference in the unit of its variance, from its p value."""
    from scipy.stats import t

    if own.spread is None or own.p >= 1:
        return 0.0
    ratio = float(t.isf(max(own.p, 1e-300) / 2, own.spread.freedom))
    return ratio**2 * own.spread.variance
