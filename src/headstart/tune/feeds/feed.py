"""What a feed is: where a training's batches come from, and how a batch runs through the backbone.

One file per feed: stored.py, live.py, tensors.py, mixed_shapes.py. part.py says which one a part of the data
takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headstart import processes
from headstart.backbone import Backbone
from headstart.errors import TrainingError
from headstart.memory import Halving
from headstart.tune.feeds.plan import Positions, ordered_plan

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Machine:
    """Where and how a training runs.

    Attributes:
        device: what the trained part runs on.
        precision: "fp32" or "bf16" (autocast; weights and optimizer stay float32).
        checkpoint_seconds: least time between two checkpoints; 0 writes one every step.
        deadline: time.monotonic() at which training stops with the best weights so far, or None.
    """

    device: torch.device = _CPU
    precision: str = "fp32"
    checkpoint_seconds: float = 10.0
    deadline: float | None = None


class Feed(Protocol):
    """Items in batches, and how a batch runs through the backbone."""

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

    def run(self, backbone: Backbone, inputs: Any, device: torch.device) -> Any:
        """Run the trained part of the backbone on a batch.

        Returns:
            What the objective takes: one embedding per item, of shape (n_items, width), or anything else (two
            views, all tokens with the ones that were masked, two domains).
        """
        ...


@dataclass(frozen=True, eq=False)
class Labelled:
    """A feed with labels and weights by position.

    Attributes:
        feed: of N items.
        labels: class indices of shape (N,), or numbers of shape (N, C).
        weights: of the items, of shape (N,), of mean 1; None: all the same.
        balanced: whether every class counts the same under them.
    """

    feed: Feed
    labels: NDArray[Any]
    weights: NDArray[np.floating] | None = None
    balanced: bool = False


def run_whole(backbone: Backbone, inputs: Any, device: torch.device) -> Tensor:
    """Run the whole network on a batch of inputs: a tensor, or tensors by name."""
    if isinstance(inputs, Tensor):
        moved: Any = inputs.to(device, non_blocking=True)
    else:
        moved = {name: tensor.to(device, non_blocking=True) for name, tensor in inputs.items()}
    embedding: Tensor = backbone(moved)
    return embedding


def autocast(machine: Machine) -> torch.autocast:
    """The context of a forward pass in the run's precision.

    It is torch's own, since an Accelerator's precision cannot be changed again within a process.
    """
    return torch.autocast(machine.device.type, torch.bfloat16, enabled=machine.precision == "bf16")


def rows_of(inputs: Any, rows: slice, n_items: int | None = None) -> Any:
    """Some of the n_items of a batch.

    Args:
        inputs: tensors by name, a tuple of inputs, a tensor, a state, or whatever else takes a slice.
        rows: which items.
        n_items: of the batch; if all are asked for, the inputs are returned unchanged.
    """
    if n_items is not None and rows == slice(0, n_items):
        return inputs
    if isinstance(inputs, Mapping):
        return {name: tensor[rows] for name, tensor in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(rows_of(part, rows) for part in inputs)
    return inputs[rows]


def embed_all(
    backbone: Backbone, feed: Feed, machine: Machine, *, batch_size: int = 64, seed: int = 0
) -> NDArray[np.float32]:
    """The embeddings of all items of a feed, not augmented, of shape (n_items, width), in their order.

    Train or eval modes do not change. Batches do not depend on the order of training; several processes share
    them.
    """
    plan = ordered_plan(feed.buckets, batch_size)[processes.number() :: processes.count()]
    result: NDArray[np.float32] | None = None
    halving = Halving("Embedding")

    def embedded(inputs: Any, n_items: int, rows: slice) -> NDArray[np.float32]:
        with autocast(machine):
            embedding: Tensor = feed.run(backbone, rows_of(inputs, rows, n_items), machine.device)
        return embedding.float().cpu().numpy()

    with torch.no_grad():
        for positions, inputs in feed.batches(plan, seed=seed, epoch=0, start=0):
            n_items = len(positions)
            values = np.concatenate(halving(partial(embedded, inputs, n_items), n_items))
            if result is None:
                result = np.zeros((feed.n_items, values.shape[1]), dtype=np.float32)
            result[positions] = values
    if processes.count() > 1:
        result = _of_all(result, feed.n_items, machine.device)
    if result is None:
        raise TrainingError("there are no items to embed")
    return result


def _of_all(
    own: NDArray[np.float32] | None, n_items: int, device: torch.device
) -> NDArray[np.float32] | None:
    """Rows of all processes, each of which has some and zeros elsewhere."""
    width = max(processes.gathered(0 if own is None else own.shape[1]))
    if width == 0:
        return None
    rows = torch.zeros(n_items, width) if own is None else torch.from_numpy(own)
    return processes.total(rows.to(device)).cpu().numpy()
