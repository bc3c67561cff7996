"""Where a training's batches come from: a stored prefix, or live inputs that are decoded each time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headstart import processes
from headstart.backbone import Backbone, State
from headstart.data.augment import Augment
from headstart.data.loading import load_batches, plan_batches
from headstart.data.preprocessing import Preprocessing
from headstart.errors import TrainingError
from headstart.memory import Halving
from headstart.tune.loop.schedule import Positions, ordered_plan, view_of

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
    checkpoint_seconds: float = 30.0
    deadline: float | None = None


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

    def embed(self, backbone: Backbone, inputs: Any, device: torch.device) -> Tensor:
        """Run the trained part of the backbone on a batch; of shape (n_items, width)."""
        ...


@dataclass(frozen=True, eq=False)
class Labelled:
    """A feed and its labels by position: class indices of shape (N,), or numbers of shape (N, C)."""

    feed: Feed
    labels: NDArray[Any]


class StoredFeed:
    """Batches of stored prefix states; the suffix alone runs.

    Args:
        views: the stored states of the same items, one a view; the first is not augmented.
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

    def embed(self, backbone: Backbone, inputs: Any, device: torch.device) -> Tensor:
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


class LiveFeed:
    """Batches that are decoded each time, for a network of which nothing is frozen.

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
            self.items, self.preprocessing, plan[start:], threads=self.n_threads, augment=augment
        )

    def embed(self, backbone: Backbone, inputs: Any, device: torch.device) -> Tensor:
        return embed_live(backbone, inputs, device)


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

    def embed(self, backbone: Backbone, inputs: Any, device: torch.device) -> Tensor:
        return embed_live(backbone, inputs, device)


def embed_live(backbone: Backbone, inputs: Any, device: torch.device) -> Tensor:
    """Run the whole network on a batch of inputs."""
    if isinstance(inputs, Tensor):
        moved: Any = inputs.to(device, non_blocking=True)
    else:
        moved = {name: tensor.to(device, non_blocking=True) for name, tensor in inputs.items()}
    embedding: Tensor = backbone(moved)
    return embedding


def autocast(machine: Machine) -> torch.autocast:
    """What surrounds a forward in the run's precision.

    It is torch's own, since an Accelerator's precision cannot be changed again within a process.
    """
    return torch.autocast(machine.device.type, torch.bfloat16, enabled=machine.precision == "bf16")


def rows_of(inputs: Any, rows: slice, n_items: int | None = None) -> Any:
    """Some of the n_items of a batch: of tensors by name, a tensor, a state, or whatever else takes a slice."""
    if n_items is not None and rows == slice(0, n_items):
        return inputs
    if isinstance(inputs, Mapping):
        return {name: tensor[rows] for name, tensor in inputs.items()}
    return inputs[rows]


def embed_all(
    backbone: Backbone, feed: Feed, machine: Machine, *, batch_size: int = 64, seed: int = 0
) -> NDArray[np.float32]:
    """The embeddings of all items of a feed, not augmented, of shape (n_items, width), in their order.

    Modes are as they are set. Batches do not depend on the order of training; several processes share them.
    """
    plan = ordered_plan(feed.buckets, batch_size)[processes.number() :: processes.count()]
    result: NDArray[np.float32] | None = None
    halving = Halving("Embedding")

    def embedded(inputs: Any, n_items: int, rows: slice) -> NDArray[np.float32]:
        with autocast(machine):
            embedding = feed.embed(backbone, rows_of(inputs, rows, n_items), machine.device)
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
