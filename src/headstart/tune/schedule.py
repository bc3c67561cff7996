"""Which items a step takes and at which rate: pure functions of the seed, the epoch and the step.

Nothing here has a state of its own, so a resumed run takes the same steps as an uninterrupted one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.tune.recipe import Recipe

Positions = NDArray[np.intp]


def epoch_plan(buckets: Sequence[Positions], batch_size: int, *, seed: int, epoch: int) -> list[Positions]:
    """Draw the batches of one epoch.

    A batch holds items of one bucket only. A bucket is shared out evenly, so that its last batch is not a
    small rest (a single item would break batch normalisation), and the number of batches is the same in every
    epoch.

    Args:
        buckets: positions of the items that may share a batch.
        batch_size: most items of a batch.
        seed: the run's seed.
        epoch: counted from 1.

    Returns:
        Positions of each batch, every item once.
    """
    random = np.random.default_rng([seed, epoch])
    batches: list[Positions] = []
    for bucket in buckets:
        if len(bucket):
            n_batches = math.ceil(len(bucket) / batch_size)
            batches.extend(np.array_split(random.permutation(bucket), n_batches))
    return [batches[index] for index in random.permutation(len(batches))]


def ordered_plan(buckets: Sequence[Positions], batch_size: int) -> list[Positions]:
    """The batches of one pass without shuffling, for evaluation."""
    return [
        bucket[start : start + batch_size]
        for bucket in buckets
        for start in range(0, len(bucket), batch_size)
    ]


def view_of(n_views: int, *, seed: int, epoch: int, step: int) -> int:
    """Draw the stored view that a step reads."""
    if n_views == 1:
        return 0
    return int(np.random.default_rng([seed, epoch, step, 1]).integers(n_views))


def rate_factor(step: int, n_steps: int, recipe: Recipe) -> float:
    """The share of the peak rate at a step.

    It rises linearly over the warm-up, then falls along half a cosine (to zero just after the last step) or
    stays at 1.

    Args:
        step: counted from 0 over the whole training.
        n_steps: number of steps of the whole training.
        recipe: its `warmup_share` and `schedule` are used.
    """
    n_warmup = math.floor(recipe.warmup_share * n_steps)
    if step < n_warmup:
        return (step + 1) / (n_warmup + 1)
    if recipe.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - n_warmup) / max(1, n_steps - n_warmup)))
