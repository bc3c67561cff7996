"""Which items a step takes and at which rate: pure functions of the seed, the epoch and the step.

Nothing here has a state of its own, so a resumed run takes the same steps as an uninterrupted one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.errors import TrainingError
from headstart.tune.recipes.recipe import Recipe

Positions = NDArray[np.intp]


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
        batch_size: most items of a batch.
        seed: the run's seed.
        epoch: counted from 1.
        weights: of shape (n_items,), by position: items are drawn with replacement, each as often as its
            share of all weights says. None: every item comes once.

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
    """As many batches as without weights, all of one size, the items drawn by their weights.

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


def view_of(n_views: int, *, seed: int, epoch: int, step: int) -> int:
    """Draw the stored view that a step reads."""
    if n_views == 1:
        return 0
    return int(np.random.default_rng([seed, epoch, step, 1]).integers(n_views))


def n_steps_of(recipe: Recipe, steps_an_epoch: int) -> int:
    """Number of optimizer steps of a whole training: `steps` where the recipe says it, else its epochs'."""
    return recipe.epochs * steps_an_epoch if recipe.steps is None else recipe.steps


def n_epochs_of(recipe: Recipe, steps_an_epoch: int) -> int:
    """Number of epochs begun in a whole training; with `steps` the last one may be cut short."""
    return recipe.epochs if recipe.steps is None else math.ceil(recipe.steps / steps_an_epoch)


def rate_factor(step: int, n_steps: int, recipe: Recipe) -> float:
    """The share of the peak rate at a step.

    It rises linearly over the warm-up. Then it falls along half a cosine or a line (to zero just after the
    last step), stays at 1, or (`steps`) is divided by ten after each share of `decay_at`. `steps` is the
    schedule of BiT-HyperRule (Kolesnikov et al. 2020, big_transfer's bit_hyperrule.py) to the step: its
    warm-up begins at zero, and a division takes effect one step after its milestone.

    Args:
        step: counted from 0 over the whole training.
        n_steps: number of steps of the whole training.
        recipe: its `warmup_share`, `schedule` and `decay_at` are used.
    """
    n_warmup = _floor(recipe.warmup_share * n_steps)
    if recipe.schedule == "steps":
        if step < n_warmup:
            return step / n_warmup
        return math.pow(10.0, -sum(step > _floor(share * n_steps) for share in recipe.decay_at))
    if step < n_warmup:
        return (step + 1) / (n_warmup + 1)
    done = (step - n_warmup) / max(1, n_steps - n_warmup)
    if recipe.schedule == "constant":
        return 1.0
    if recipe.schedule == "linear":
        return max(0.0, 1 - done)
    return 0.5 * (1 + math.cos(math.pi * done))


def _floor(value: float) -> int:
    """The whole steps in a share of all steps; 0.29 * 100 is 29, though its float is a little less."""
    return math.floor(value + 1e-9)
