"""Which items a step takes: pure functions of the seed, the epoch and the step.

Nothing here has a state of its own, so a resumed run takes the same items as an uninterrupted one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.errors import TrainingError

Positions = NDArray[np.intp]
Plan = Callable[[int], list[Positions]]
"""The batches of an epoch, which is counted from 1."""


class ShuffledPlan:
    """In every epoch all items once, shuffled; or, with weights, the same number of items, drawn by their weights.

    Args:
        buckets: positions of the items that may share a batch.
        batch_size: largest number of items in a batch.
        seed: random seed.
        weights: see `epoch_plan`.
    """

    def __init__(
        self,
        buckets: Sequence[Positions],
        batch_size: int,
        *,
        seed: int,
        weights: NDArray[np.floating] | None = None,
    ) -> None:
        self._buckets, self._batch_size, self._seed, self._weights = buckets, batch_size, seed, weights

    def __call__(self, epoch: int) -> list[Positions]:
        """The batches of an epoch."""
        return epoch_plan(
            self._buckets, self._batch_size, seed=self._seed, epoch=epoch, weights=self._weights
        )


class ClassPlan:
    """In every epoch all items once, in batches with items of every class if there are enough.

    Args:
        classes: of each item, of shape (n_items,).
        batch_size: about how many items a batch has.
        seed: random seed.
    """

    def __init__(self, classes: NDArray[np.integer], batch_size: int, *, seed: int) -> None:
        self._classes, self._batch_size, self._seed = classes, batch_size, seed

    def __call__(self, epoch: int) -> list[Positions]:
        """The batches of an epoch."""
        return class_batches(self._classes, self._batch_size, seed=self._seed, epoch=epoch)


def epoch_plan(
    buckets: Sequence[Positions],
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    weights: NDArray[np.floating] | None = None,
) -> list[Positions]:
    """Draw the batches of one epoch.

    A batch holds items of one bucket only. A bucket is shared out evenly, so that its last batch is not a
    small rest (a single item would break batch normalisation), and the number of batches is the same in every
    epoch.

    Args:
        buckets: positions of the items that may share a batch.
        batch_size: largest number of items in a batch.
        seed: random seed.
        epoch: counted from 1.
        weights: of shape (n_items,), by position: items are drawn with replacement, each in proportion to its
            weight. None: every item comes once.

    Returns:
        Positions of each batch.
    """
    random = np.random.default_rng([seed, epoch])
    if weights is not None:
        return _drawn(buckets, batch_size, np.asarray(weights, dtype=np.float64), random)
    batches: list[Positions] = []
    for bucket in buckets:
        if len(bucket):
            batches.extend(np.array_split(random.permutation(bucket), _n_batches(bucket, batch_size)))
    return [batches[index] for index in random.permutation(len(batches))]


def _n_batches(bucket: Positions, batch_size: int) -> int:
    return math.ceil(len(bucket) / batch_size)


def _drawn(
    buckets: Sequence[Positions], batch_size: int, weights: NDArray[np.float64], random: np.random.Generator
) -> list[Positions]:
    """The same number of batches as without weights, all of one size, with items drawn by their weights.

    How many batches a bucket gets is drawn too, by one offset into the running sum of the buckets' weights
    (systematic sampling): its expectation is the bucket's share of all weights, the sum over the buckets is
    fixed, and so every item is drawn in proportion to its weight, whatever bucket it is in.
    """
    filled = [bucket for bucket in buckets if len(bucket)]
    n_items = sum(map(len, filled))
    if len(weights) != n_items or not np.isfinite(weights).all() or (weights < 0).any() or not weights.sum():
        raise TrainingError(
            f"the weights that items are drawn by must be {n_items} finite numbers, none below 0 and not all "
            f"0, got {len(weights)} from {weights.min(initial=0):g} to {weights.max(initial=0):g}"
        )
    n_batches = sum(_n_batches(bucket, batch_size) for bucket in filled)
    size = math.ceil(n_items / n_batches)
    shares = np.cumsum([weights[bucket].sum() for bucket in filled])
    ends = np.floor(n_batches * shares / shares[-1] + random.random()).astype(int)
    ends[-1] = n_batches
    batches: list[Positions] = []
    for bucket, count in zip(filled, np.diff(ends, prepend=0), strict=True):
        if count:
            mass = weights[bucket] / weights[bucket].sum()
            batches.extend(random.choice(bucket, size=(int(count), size), p=mass))
    return [batches[index] for index in random.permutation(len(batches))]


def ordered_plan(buckets: Sequence[Positions], batch_size: int) -> list[Positions]:
    """The batches of one pass without shuffling, for evaluation."""
    return [
        bucket[start : start + batch_size]
        for bucket in buckets
        for start in range(0, len(bucket), batch_size)
    ]


def class_batches(classes: NDArray[np.integer], batch_size: int, *, seed: int, epoch: int) -> list[Positions]:
    """Draw the batches of an epoch so that each holds items of every class, if there are enough.

    A class with at least two items for every batch is spread evenly over all of them; one with fewer comes in
    pairs (a single item has no partner), in as many batches as it has pairs. The emptiest batches are filled
    first, and the number of batches is the same in every epoch.

    Args:
        classes: of each item, of shape (n_items,).
        batch_size: about how many items a batch has: the last portion of a class may exceed it.
        seed: random seed.
        epoch: counted from 1.

    Returns:
        Positions of each batch, every item once.
    """
    random = np.random.default_rng([seed, epoch])
    n_batches = math.ceil(len(classes) / batch_size)
    batches: list[list[Positions]] = [[] for _ in range(n_batches)]
    sizes = np.zeros(n_batches, dtype=np.intp)
    for name in random.permutation(np.unique(classes)):
        own = random.permutation(np.flatnonzero(classes == name))
        portions = np.array_split(own, min(n_batches, max(1, len(own) // 2)))
        emptiest = np.lexsort((random.random(n_batches), sizes))
        for index, portion in zip(emptiest, portions, strict=False):  # portions come from large to small
            batches[index].append(portion)
            sizes[index] += len(portion)
    return [np.sort(np.concatenate(batch)) for batch in batches if batch]


def view_of(n_views: int, *, seed: int, epoch: int, step: int) -> int:
    """Draw the stored view that a step reads."""
    if n_views == 1:
        return 0
    return int(np.random.default_rng([seed, epoch, step, 1]).integers(n_views))
