"""Batches that are decoded each time, for a network without a frozen prefix."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from headstart.backbone import Backbone
from headstart.data.augment import Augment
from headstart.data.loading import load_batches, plan_batches
from headstart.data.preprocessing import Preprocessing
from headstart.tune.feeds.feed import run_whole
from headstart.tune.feeds.plan import Positions


class LiveFeed:
    """Batches that are decoded each time, for a network without a frozen prefix.

    Args:
        items: n_items files, texts or arrays.
        digests: of each item's content, of shape (n_items,).
        preprocessing: the source's.
        n_threads: that decode ahead.
        augment: gives the view that an epoch sees, of (seed, epoch); None: the plain items.
    """

    def __init__(
        self,
        items: Sequence[Any],
        digests: NDArray[Any],
        preprocessing: Preprocessing,
        *,
        n_threads: int,
        augment: Callable[[int, int], Augment | None] | None = None,
    ) -> None:
        self.items, self.digests, self.preprocessing = items, digests, preprocessing
        self.n_threads, self.augment = n_threads, augment
        self.n_items = len(items)
        whole = {"batch_size": max(1, len(items)), "tokens_per_batch": sys.maxsize}
        self.buckets: Sequence[Positions] = plan_batches(items, preprocessing, **whole)

    def batches(
        self, plan: Sequence[Positions], *, seed: int, epoch: int, start: int = 0
    ) -> Iterator[tuple[Positions, Any]]:
        augment = self.augment(seed, epoch) if self.augment is not None and epoch else None
        yield from load_batches(
            self.items,
            self.preprocessing,
            plan[start:],
            threads=self.n_threads,
            digests=self.digests,
            augment=augment,
        )

    def run(self, backbone: Backbone, inputs: Any, device: torch.device) -> Tensor:
        return run_whole(backbone, inputs, device)
