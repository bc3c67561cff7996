"""Do the classes have other shares in the target? Judged from estimated shares with their intervals.

    distance = 1/2 sum_c |target_c - source_c|      (total variation)

Its interval holds every distance that shares inside the intervals of all classes can have (and that sum to 1), so it is
rather too wide than too narrow. The estimates (`adapt.label_shift`) assume that the items of a class look the same in
both domains. Where they do not, an estimate can be far off with a narrow interval; what shows it is that estimates by
different ways disagree. So the judgement takes several.

Legend: C classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Float
from headstart.adapt.label_shift import Shares
from headstart.metrics.interval import Interval

STRONG = 0.1  # of the distance: above it class shares matter for the choice of a method
AGREE = (
    0.1  # total variation of two estimates that agree; by chance 0.03 to 0.07 with 1,000 items and 2 classes
)
MISSING = 0.1  # of the share in the source: below it a class seems missing
LEAST_EXPECTED = (
    5.0  # items of a class that the target would have with the source's share, to call it missing
)


@dataclass(frozen=True)
class ClassShares:
    """The shares of the classes in both domains.

    Attributes:
        source: of each class.
        target: estimated, with intervals.
        distance: total variation of both.
        missing: numbers of the classes that seem missing in the target.
        disagreement: largest total variation between two estimates; None: there is only one.
    """

    source: tuple[float, ...]
    target: tuple[Interval, ...]
    distance: Interval
    missing: tuple[int, ...]
    disagreement: float | None

    @property
    def is_strong(self) -> bool:
        """Whether the shares differ by more than `STRONG`, beyond chance."""
        return self.distance.low is not None and self.distance.low > STRONG

    @property
    def agree(self) -> bool:
        """Whether the estimates agree."""
        return self.disagreement is not None and self.disagreement <= AGREE

    def to_json(self) -> dict[str, Any]:
        """The same as a dictionary that JSON can hold."""
        return {
            "source": list(self.source),
            "target": [share.to_json() for share in self.target],
            "distance": self.distance.to_json(),
            "missing": list(self.missing),
            "disagreement": self.disagreement,
        }


def compare_shares(source_C: Float, estimates: Mapping[str, Shares], n_target: int) -> ClassShares:
    """Compare the class shares of the domains.

    Args:
        source_C: of the source, of shape (C,).
        estimates: of the target, by their names; the first is the one that is shown.
        n_target: items of the target.
    """
    first = next(iter(estimates.values()))
    values = [np.asarray(shares.value_C) for shares in estimates.values()]
    pairs = [total_variation(a, b) for i, a in enumerate(values) for b in values[:i]]
    missing = [
        c
        for c, share in enumerate(source_C)
        if share * n_target >= LEAST_EXPECTED and first.high_C[c] < MISSING * share
    ]
    target = tuple(
        Interval(float(value), float(low), float(high))
        for value, low, high in zip(first.value_C, first.low_C, first.high_C, strict=True)
    )
    return ClassShares(
        tuple(float(share) for share in source_C),
        target,
        share_distance(source_C, first),
        tuple(missing),
        max(pairs) if pairs else None,
    )


def total_variation(a_C: Float, b_C: Float) -> float:
    """Return half the sum of the absolute differences of two sets of shares.

    Args:
        a_C: of shape (C,).
        b_C: of shape (C,).
    """
    return float(0.5 * np.abs(np.asarray(a_C) - np.asarray(b_C)).sum())


def share_distance(source_C: Float, target: Shares) -> Interval:
    """Return the total variation of source and target with its interval.

    Args:
        source_C: of shape (C,).
        target: estimated shares.
    """
    value = total_variation(source_C, target.value_C)
    # what must rise is what must fall, since both sum to 1: the larger of both is the least distance
    low = max(_excess(target.low_C, source_C), _excess(source_C, target.high_C))
    high = min(_excess(target.high_C, source_C), _excess(source_C, target.low_C), 1.0)
    return Interval(value, min(low, value), max(high, value))


def _excess(a_C: Float, b_C: Float) -> float:
    """The sum of what one set of numbers is above another."""
    return float(np.maximum(np.asarray(a_C) - np.asarray(b_C), 0.0).sum())


def positions_with_shares(
    codes_N: NDArray[np.integer], shares_C: Float, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return as many source items as possible whose classes have some shares, drawn without replacement.

    Args:
        codes_N: classes of the source items, of shape (N,).
        shares_C: wanted, of shape (C,); a class of under 1% of the items is left out.
        rng: draws the items.
    """
    wanted = np.where(np.asarray(shares_C) < 0.01, 0.0, shares_C)
    counts = np.bincount(codes_N, minlength=len(wanted))
    wanted = np.where(counts == 0, 0.0, wanted)
    if not wanted.any():
        return np.zeros(0, dtype=np.intp)
    wanted = wanted / wanted.sum()
    there = wanted > 0
    n_drawn = float(np.min(counts[there] / wanted[there]))
    n_each = np.floor(wanted * n_drawn + 1e-9).astype(int)
    drawn = [rng.permutation(np.flatnonzero(codes_N == c))[:n] for c, n in enumerate(n_each)]
    return np.sort(np.concatenate(drawn)).astype(np.intp)
