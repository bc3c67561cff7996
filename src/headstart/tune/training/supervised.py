"""The loop of a supervised training: labelled items, a head as the objective, held-out items as the validation."""

from __future__ import annotations

import numpy as np
import torch

from headstart.tune.feeds.feed import Labelled, Machine
from headstart.tune.feeds.mixing import Mixing
from headstart.tune.feeds.plan import ShuffledPlan
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.setup import Items, Keeping, Network
from headstart.tune.objectives.supervised import Supervised, as_targets, balanced_weights
from headstart.tune.objectives.validation import Validation
from headstart.tune.recipes.recipe import Recipe


def supervised_loop(
    network: Network,
    train: Labelled,
    objective: Supervised,
    validation: Validation | None,
    recipe: Recipe,
    *,
    seed: int = 0,
    machine: Machine | None = None,
    keeping: Keeping | None = None,
) -> Loop:
    """A loop over labelled items.

    Args:
        network: what trains, and what is frozen in it.
        train: what is learned from.
        objective: the head with its loss, on the device.
        validation: compares epochs; or None.
        recipe: its `batch_size`, `sampling`, `mixup` and `cutmix` are used here, the others by the loop.
        seed: random seed.
        machine: where and how.
        keeping: where checkpoints are kept.
    """
    weights = balanced_weights(train.labels) if recipe.sampling == "balanced" else None
    items = Items(
        train.feed,
        as_targets(train.labels),
        ShuffledPlan(train.feed.buckets, recipe.batch_size, seed=seed, weights=weights),
        Mixing(recipe, seed, objective.n_outputs) if recipe.mixup or recipe.cutmix else None,
        None if train.weights is None else torch.from_numpy(train.weights.astype(np.float32)),
    )
    return Loop(network, items, objective, validation, recipe, seed=seed, machine=machine, keeping=keeping)
