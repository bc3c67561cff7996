"""Batches of stored prefix states: the frozen prefix ran once, and only the suffix runs in a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.backbone import Backbone, State
from headstart.tune.feeds.plan import Positions, view_of


class StoredFeed:
    """Batches of stored prefix states; the suffix alone runs.

    Args:
        views: the stored states of the same items, one per view; the first is not augmented.
        cut: the cut they were stored at.
        backbone: whose suffix takes them.
        resident: whether all states are kept on the backbone's device from the first epoch on.
    """

    def __init__(self, views: Sequence[Any], cut: int, backbone: Backbone, *, resident: bool = False) -> None:
        self.views = [_Resident(view, backbone) for view in views] if resident else list(views)
        self.cut = cut
        self.backbone = backbone
        self.buckets: Sequence[Positions] = [np.asarray(b, dtype=np.intp) for b in self.views[0].buckets]
        self.n_items = sum(len(bucket) for bucket in self.buckets)

    def batches(
        self, plan: Sequence[Positions], *, seed: int, epoch: int, start: int = 0
    ) -> Iterator[tuple[Positions, Any]]:
        n_views = len(self.views) if epoch else 1
        for step in range(start, len(plan)):
            view = view_of(n_views, seed=seed, epoch=epoch, step=step)
            yield plan[step], self.views[view].batch(plan[step], self.backbone)

    def run(self, backbone: Backbone, inputs: Any, device: torch.device) -> Tensor:
        embedding: Tensor = backbone.suffix(inputs, self.cut)
        return embedding


class _Resident:
    """Stored states read once and kept on the device.

    Args:
        stored: the states.
        backbone: whose suffix takes them.
    """

    def __init__(self, stored: Any, backbone: Backbone) -> None:
        self.buckets: Sequence[Positions] = [np.asarray(bucket, dtype=np.intp) for bucket in stored.buckets]
        n_items = sum(len(bucket) for bucket in self.buckets)
        self._states = [stored.batch(bucket, backbone) for bucket in self.buckets]
        self._bucket_of, self._row_of = np.empty(n_items, np.intp), np.empty(n_items, np.intp)
        for number, bucket in enumerate(self.buckets):
            self._bucket_of[bucket], self._row_of[bucket] = number, np.arange(len(bucket))

    def batch(self, positions: Positions, backbone: Backbone) -> State:
        """The states of items of one bucket."""
        state: State = self._states[self._bucket_of[positions[0]]][self._row_of[positions]]
        return state
