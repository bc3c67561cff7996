"""What would decide an undecided comparison, if the difference is what it seems: held-out items, seeds, or nothing.

The variance of a difference is V_items + V_seeds: the first falls with the number of held-out items, the second with
the number of seeds. A difference d is found in about 80% of cases if d^2 = (t + 0.84)^2 (V_items + V_seeds), with t of
the degrees of freedom, at 5% divided by the numbers of labels that are looked at. With few seeds V_seeds is hardly
known, so that more seeds come first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from headstart.evidence.over_seeds import Gain

ENOUGH_SEEDS = 5
_POWER = 0.84  # standard errors for a power of 80%
_MOST_TIMES = 10.0  # more than this many times the items, or the seeds, is no advice
_SEEMS = "if the difference is what it seems,"


def what_decides(
    gains: Mapping[str, Gain], against: str, n_seeds: int, n_items: int, n_looks: int = 1
) -> str:
    """What would decide it, as a clause.

    Args:
        gains: the differences from each method without pretrained weights, by name.
        against: the one that was chosen on training items.
        n_seeds: that the difference was measured with.
        n_items: held-out items.
        n_looks: numbers of labels that the verdict is corrected for.
    """
    from scipy.stats import t

    own = gains[against]
    if own.better:  # a positive verdict has to hold against each of them
        own = max(gains.values(), key=lambda each: each.p if each.better else 2.0)
    if own.spread is None:
        return own.interval.why
    if own.better != gains[against].better:
        return "nothing: another method without pretrained weights is as good"
    if n_seeds < ENOUGH_SEEDS:
        return f"more seeds first (--seeds {ENOUGH_SEEDS}), since {n_seeds} say little about how much draws differ"
    wanted = (float(t.isf(0.025 / n_looks, own.spread.freedom)) + _POWER) ** 2
    enough = _squared(own) / wanted  # the variance at which the difference would be found
    items, seeds = own.spread.of_items, own.spread.of_seeds
    if enough <= 0 or max(items, seeds) > _MOST_TIMES * enough:
        return (
            f"nothing in reach: it takes more than {_MOST_TIMES:.0f} times the held-out items, or the seeds"
        )
    if items < enough / 2:
        needed = max(n_seeds + 1, math.ceil(n_seeds * seeds / (enough - items)))
        return f"{_SEEMS} about {needed} seeds (--seeds {needed})"
    if seeds < enough / 2:
        more = max(1.2 * n_items, n_items * items / (enough - seeds))
        return f"{_SEEMS} about {_rounded(more)} held-out items in place of {n_items:,}"
    more_seeds = max(n_seeds + 1, math.ceil(2 * n_seeds * seeds / enough))
    more_items = _rounded(max(1.2 * n_items, 2 * n_items * items / enough))
    return f"{_SEEMS} about {more_seeds} seeds and {more_items} held-out items in place of {n_items:,}"


def _rounded(value: float) -> str:
    """A number of two digits."""
    step = 10 ** max(0, math.floor(math.log10(max(value, 1))) - 1)
    return f"{math.ceil(value / step) * step:,}"


def _squared(own: Gain) -> float:
    """The square of the difference in the unit of its variance, from its p value."""
    from scipy.stats import t

    if own.spread is None or own.p >= 1:
        return 0.0
    ratio = float(t.isf(max(own.p, 1e-300) / 2, own.spread.freedom))
    return ratio**2 * own.spread.variance
