"""How many epochs of which candidates fit a time budget, whoever survives.

Successive halving: all candidates run a quarter of their epochs, the better half of them a half, the better
half of those all. The cost is bounded by the worst case, in which the slowest survive every rung, and the
winner, trained once more on all items, is the slowest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SHARE = 0.9  # of the time left that is planned with; the rest is for what measuring did not see


@dataclass(frozen=True)
class Cost:
    """What a candidate costs.

    Attributes:
        epoch_seconds: an epoch with its validation.
        again_seconds: an epoch of the training on all items that may follow.
        prepare_seconds: before the first step of that one.
    """

    epoch_seconds: float
    again_seconds: float = 0.0
    prepare_seconds: float = 0.0

    def again(self, n_epochs: int) -> float:
        """Seconds of the training on all items."""
        return self.prepare_seconds + self.again_seconds * n_epochs


def rungs(n_epochs: int) -> list[int]:
    """The epochs after which candidates are compared, the last included.

    >>> rungs(10), rungs(4), rungs(1)
    ([3, 5, 10], [1, 2, 4], [1])
    """
    return sorted({math.ceil(n_epochs / 4), math.ceil(n_epochs / 2), n_epochs})


def told(seconds: float) -> str:
    """Seconds in words: a decimal below ten.

    >>> told(123.4), told(1.234)
    ('123 s', '1.2 s')
    """
    return f"{max(seconds, 0.0):.{0 if seconds >= 10 else 1}f} s"


def survivors(n_candidates: int) -> int:
    """How many go on from a rung: the better half, one at least."""
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
    """The fewest epochs that a place is given for.

    Half of those wanted, and one where nobody has a place yet: what is trained for a quarter of its epochs hardly
    wins, and its time is missed by others.
    """
    return 1 if is_first else math.ceil(wanted / 2)


def plan(costs: Mapping[str, Cost], wanted: int, seconds: float) -> dict[str, int]:
    """The epochs of each candidate that gets a place, in the order given; the others are left out.

    A candidate that does not fit with all epochs is planned with a half of them, and so on, `least_epochs` at last.

    Args:
        costs: of each candidate by name, in the order in which places are given.
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
