"""Where a training's batches come from: a stored prefix, or live inputs that are decoded each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from headstart.tune.schedule import Positions, view_of


class Feed(Protocol):
    """Items in batches, and how a batch becomes embeddings."""

    @property
    def n_items(self) -> int: ...
    @property
    def buckets(self) -> Sequence[Positions]:
        """Positions of the items that may share a batch."""
        ...

    def batches(
        self, plan: Sequence[Positions], *, seed: int, epoch: int, start: int
    ) -> Iterator[tuple[Positions, Any]]:
        """Yield positions and inputs of the plan's batches from `start` on; epoch 0 is never augmented."""
        ...

    def embed(self, backbone: Any, inputs: Any, device: torch.device) -> Tensor:
        """Run the trained part of the backbone on a batch; of shape (n_items, width)."""
        ...


class StoredFeed:
    """Batches of stored prefix states; the suffix alone runs.

    Args:
        views: the stored states of the same items, one a view; the first is not augmented.
        cut: the cut they were stored at.
    """

    def __init__(self, views: Sequence[Any], cut: int) -> None:
        self.views = list(views)
        self.cut = cut
        self.buckets: Sequence[Positions] = [np.asarray(b, dtype=np.intp) for b in self.views[0].buckets]
        self.n_items = sum(len(bucket) for bucket in self.buckets)

    def batches(
        self, plan: Sequence[Positions], *, seed: int, epoch: int, start: int = 0
    ) -> Iterator[tuple[Positions, Any]]:
        n_views = len(self.views) if epoch else 1
        for step in range(start, len(plan)):
            view = view_of(n_views, seed=seed, epoch=epoch, step=step)
            yield plan[step], self.views[view].batch(plan[step])

    def embed(self, backbone: Any, inputs: Any, device: torch.device) -> Tensor:
        embedding: Tensor = backbone.suffix(inputs.to(device), self.cut)
        return embedding


class TensorFeed:
    """Batches of inputs that are in memory already: tensors by name, or one tensor.

    Args:
        inputs: of shape (n_items, ...) each.
    """

    def __init__(self, inputs: Tensor | Mapping[str, Tensor]) -> None:
        self.inputs = inputs
        first = inputs if isinstance(inputs, Tensor) else next(iter(inputs.values()))
        self.n_items = len(first)
        self.buckets: Sequence[Positions] = [np.arange(self.n_items)]

    def batches(
        self, plan: Sequence[Positions], *, seed: int, epoch: int, start: int = 0
    ) -> Iterator[tuple[Positions, Any]]:
        for positions in plan[start:]:
            index = torch.from_numpy(positions)
            if isinstance(self.inputs, Tensor):
                yield positions, self.inputs[index]
            else:
                yield positions, {name: tensor[index] for name, tensor in self.inputs.items()}

    def embed(self, backbone: Any, inputs: Any, device: torch.device) -> Tensor:
        return embed_live(backbone, inputs, device)


def embed_live(backbone: Any, inputs: Any, device: torch.device) -> Tensor:
    """Run the whole network on a batch of inputs."""
    if isinstance(inputs, Tensor):
        moved: Any = inputs.to(device, non_blocking=True)
    else:
        moved = {name: tensor.to(device, non_blocking=True) for name, tensor in inputs.items()}
    embedding: Tensor = backbone(moved)
    return embedding
