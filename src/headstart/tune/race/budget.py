"""How many epochs of which candidates fit a time budget, whichever of them survive.

Successive halving: all candidates run a quarter of their epochs, the better half of them a half, the better
half of those all. The cost is bounded by the worst case, in which the slowest survive every rung, and the
winner, trained once more on all items, is the slowest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from headstart.tune.race.costs import Cost

SHARE = 0.9  # share of the remaining time that is planned; the rest covers what was not measured


def rungs(n_epochs: int) -> list[int]:
    """The epochs after which candidates are compared, the last included.

    >>> rungs(10), rungs(4), rungs(1)
    ([3, 5, 10], [1, 2, 4], [1])
    """
    return sorted({math.ceil(n_epochs / 4), math.ceil(n_epochs / 2), n_epochs})


def survivors(n_candidates: int) -> int:
    """How many continue after a rung: the better half, at least one."""
    return math.ceil(n_candidates / 2)


def worst_case(epochs: Sequence[int], costs: Sequence[Cost]) -> float:
    """Seconds of a race in which the slowest always survive.

    Args:
        epochs: planned epochs of each candidate.
        costs: of each candidate.
    """
    field = [(rungs(n), n, cost) for n, cost in zip(epochs, costs, strict=True)]
    total, n_left = 0.0, len(field)
    for rung in range(max((len(r) for r, _, _ in field), default=0)):
        steps = sorted(
            (cost.epoch_seconds * (r[rung] - (r[rung - 1] if rung else 0)) if rung < len(r) else 0.0)
            for r, _, cost in field
        )
        total += sum(steps[len(steps) - n_left :])
        n_left = survivors(n_left)
    return total + max((cost.again(n) for _, n, cost in field), default=0.0)


def least_epochs(wanted: int, *, is_first: bool) -> int:
    """The fewest epochs that a candidate is planned with.

    Half of those wanted, or one for the first candidate: a candidate that is trained for a quarter of its
    epochs rarely wins, and takes time from the others.

    Args:
        wanted: epochs of the recipe.
        is_first: whether no other candidate is planned yet.
    """
    return 1 if is_first else math.ceil(wanted / 2)


def plan(costs: Mapping[str, Cost], wanted: int, seconds: float) -> dict[str, int]:
    """The epochs of each candidate that fits, in the order given; the others are left out.

    A candidate that does not fit with all epochs is planned with half of them, and so on, down to `least_epochs`.

    Args:
        costs: of each candidate by name, in the order in which they are given time.
        wanted: epochs of the recipe.
        seconds: that may be spent.
    """
    planned: dict[str, int] = {}
    for name in costs:
        n_epochs, least = wanted, least_epochs(wanted, is_first=not planned)
        while True:
            tried = {**planned, name: n_epochs}
            if worst_case(list(tried.values()), [costs[each] for each in tried]) <= SHARE * seconds:
                planned = tried
                break
            if n_epochs <= least:
                break
            n_epochs = max(n_epochs // 2, least)
    return planned
