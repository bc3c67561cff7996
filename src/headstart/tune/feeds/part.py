"""Which feed a part of the data comes from under a policy: stored prefix states, or live items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from headstart.backbone import Backbone
from headstart.data.loading import load_batches
from headstart.features import Setting, Store
from headstart.features.states import extract_states
from headstart.progress import say
from headstart.sources.source import Source
from headstart.tune.feeds.augmentation import augment_of
from headstart.tune.feeds.feed import Feed
from headstart.tune.feeds.live import LiveFeed
from headstart.tune.feeds.plan import Positions
from headstart.tune.feeds.stored import StoredFeed
from headstart.tune.recipes.recipe import Recipe

IN_MEMORY_BYTES = 2**29  # of stored states on a CPU


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the data.

    Attributes:
        items: files, texts or arrays.
        digests: of each item's content, of shape (n_items,).
        labels: by item: a class index, of shape (n_items,), or numbers, of shape (n_items, C).
        vectors: gives stored vectors of items at positions within the part: those of the source's last stage,
            of shape (n_asked, D).
        weights: of the items in the loss and in the choice of the epoch, of shape (n_items,), of mean 1; None: all the
            same.
        balanced: whether every class counts the same under them.
    """

    items: Sequence[Any]
    digests: NDArray[Any]
    labels: NDArray[Any]
    vectors: Callable[[Positions], NDArray[np.float32]] | None = None
    weights: NDArray[np.floating] | None = None
    balanced: bool = False


def first_inputs(source: Source, part: Part, device: torch.device) -> dict[str, torch.Tensor]:
    """Inputs of the first few items of a part, on which a backbone traces its stages.

    Args:
        source: of the preprocessing.
        part: of the items.
        device: where the inputs are put.
    """
    few = np.arange(min(3, len(part.items)))
    _, inputs = next(load_batches(part.items, source.preprocessing, [few], threads=1))
    return {name: value.to(device) for name, value in inputs.items()}


def feed_of(
    source: Source,
    part: Part,
    cut: int,
    backbone: Backbone,
    recipe: Recipe,
    store: Store,
    setting: Setting,
    *,
    seed: int,
    for_training: bool,
) -> Feed:
    """The batches of a part; with several processes, all call this.

    Args:
        source: whose prefix is stored.
        part: the items.
        cut: number of stages whose output is stored; 0: items are decoded each time.
        backbone: whose suffix takes the states.
        recipe: of views and augmentation.
        store: where states are kept.
        setting: device, precision and threads.
        seed: of the augmentation.
        for_training: whether further views are stored; validation has the plain view only.
    """
    if cut == 0:
        return LiveFeed(
            part.items,
            part.digests,
            source.preprocessing,
            n_threads=setting.n_threads,
            augment=lambda seed, epoch: augment_of(recipe, source.modality, seed, epoch, part.digests),
        )
    n_views = recipe.views if for_training else 1
    if n_views > 1 and source.modality == "text":
        say(
            "a text has one stored view, since a view without some words has another length: views is set to 1"
        )
        n_views = 1
    views = [
        extract_states(
            source,
            part.items,
            part.digests,
            cut,
            store,
            view=view,
            seed=seed,
            augment=augment_of(recipe, source.modality, seed, view, part.digests),
            **setting.options,
            together=True,
        )
        for view in range(n_views)
    ]
    return StoredFeed(
        views, cut, backbone, resident=_fits_on(setting.device, sum(view.nbytes for view in views))
    )


def _fits_on(device: torch.device, n_bytes: int) -> bool:
    """Whether states may be held in memory for all epochs, so that reading them takes no time per step.

    On an accelerator they take at most half of what is free there; on a CPU at most a fixed size, so that
    memory does not grow with the data.
    """
    if device.type == "cpu":
        return n_bytes <= IN_MEMORY_BYTES
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return n_bytes <= free // 2
