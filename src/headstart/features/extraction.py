"""The loop that fills a shelf: decode ahead, compute, and write while the next batch is computed.

What is missing is cut into batches, and batches into shards, by the list of missing items alone. A shard is
whole batches in order, so that whatever shards are already there, the others are composed as they would have
been: an extraction that was killed ends with the same files as one left alone.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import TracebackType

import numpy as np
import torch
from torch import Tensor

from headstart.features.shelf import Shelf

Inputs = dict[str, Tensor]
Compute = Callable[[Inputs], dict[str, Tensor]]
_QUEUE_LENGTH = 4


def fill(
    shelf: Shelf,
    digests: np.ndarray,
    batches: Iterable[tuple[np.ndarray, Inputs]],
    shard_sizes: Sequence[int],
    compute: Compute,
    *,
    advance: Callable[[int], None] = lambda n_done: None,
    before_writing: Callable[[int, int], None] = lambda n_items, n_bytes: None,
) -> None:
    """Compute the values of batches and write them on a shelf, shard by shard.

    Args:
        shelf: where the shards go.
        digests: of shape (n_items,), the items' digests.
        batches: the positions of each batch's items, of shape (n_batch,), and its inputs.
        shard_sizes: how many batches each shard holds; they add up to the number of batches.
        compute: inputs to named values, whose first axis is a multiple of the number of items.
        advance: told the number of items of each batch computed.
        before_writing: told, once, the number of items and of bytes of the first batch's values; it may
            refuse to go on.

    Raises:
        DiskFullError: no room is left.
    """
    first = True
    with _Writer(shelf, digests, shard_sizes) as writer:
        for positions, inputs in batches:
            values = compute(inputs)
            if first:
                before_writing(len(positions), sum(value.nbytes for value in values.values()))
                first = False
            writer.put(positions, values)
            advance(len(positions))


def shard_sizes(n_batches: int, batches_per_shard: int) -> list[int]:
    """How many batches each shard holds: as many as told, the last one the rest."""
    full, rest = divmod(n_batches, batches_per_shard)
    return [batches_per_shard] * full + ([rest] if rest else [])


@dataclass(frozen=True)
class _Batch:
    """The values of one batch on their way to the disk; on CUDA they have arrived when `copied` says so."""

    positions: np.ndarray
    values: Mapping[str, Tensor]
    copied: torch.cuda.Event | None


class _Writer:
    """A thread that writes shards while the network computes; its failure is raised where values are put."""

    def __init__(self, shelf: Shelf, digests: np.ndarray, sizes: Sequence[int]) -> None:
        self._shelf = shelf
        self._digests = digests
        self._sizes = sizes
        self._queue: queue.Queue[_Batch | None] = queue.Queue(_QUEUE_LENGTH)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="headstart-writer", daemon=True)

    def __enter__(self) -> _Writer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._queue.put(None)
        self._thread.join()
        if kind is None and self._failure is not None:
            raise self._failure

    def put(self, positions: np.ndarray, values: Mapping[str, Tensor]) -> None:
        """Hand over the values of one batch, which must not be changed afterwards."""
        if self._failure is not None:
            raise self._failure
        event = None
        if any(value.is_cuda for value in values.values()):
            values = {name: value.to("cpu", non_blocking=True) for name, value in values.items()}
            event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            event.record()
        self._queue.put(_Batch(positions, values, event))

    def _run(self) -> None:
        try:
            for size in self._sizes:
                shard = list(islice(iter(self._queue.get, None), size))
                if len(shard) < size:  # the computing side has ended early; part of a shard is not kept
                    return
                self._write(shard)
        except BaseException as error:
            self._failure = error
        while self._queue.get() is not None:  # never let the computing side wait for a writer that has ended
            pass

    def _write(self, shard: Sequence[_Batch]) -> None:
        for batch in shard:
            if batch.copied is not None:
                batch.copied.synchronize()
        positions = np.concatenate([batch.positions for batch in shard])
        parts = {name: [batch.values[name].cpu() for batch in shard] for name in shard[0].values}
        self._shelf.write(self._digests[positions], parts)
