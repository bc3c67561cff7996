"""The loop that fills a key folder: decode ahead, compute on every core, and write at the same time.

The missing items are split into batches, and batches into shards; nothing else changes them. A shard
is whole batches in order, so the files do not depend on which shards exist already: an extraction that
was killed and run again ends with the same files as one that was not.

On a CPU each core computes batches of its own with one thread. So cores do not wait for each other at every
layer, decoding uses the time that is left without stalling them, and the values of a batch do not
depend on how many cores there are.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, islice
from types import TracebackType

import numpy as np
import torch
from torch import Tensor

from headstart.features.key_folder import KeyFolder
from headstart.memory import Halving

Inputs = dict[str, Tensor]
Compute = Callable[[Inputs, int], Mapping[str, Tensor]]
"""From named inputs and the worker's number to named values, whose first axis is a multiple of n_items."""
_QUEUE_LENGTH = 4


@dataclass(frozen=True)
class Computed:
    """The values of one batch.

    Attributes:
        positions: of its items, of shape (n_batch,).
        values: by name, on the CPU.
        arrived: on CUDA, the event after which the copies are on the CPU.
    """

    positions: np.ndarray
    values: Mapping[str, Tensor]
    arrived: torch.cuda.Event | None = None


@dataclass(frozen=True)
class Output:
    """Where values of batches go.

    Attributes:
        key_folder: where the shards are written.
        shard_sizes: how many batches each shard holds; they add up to the number of batches.
        takes: whether the value of this name is written there.
        before_writing: called once with the number of items and of bytes of the first batch's values; it may
            raise to stop.
        lacks: whether each item is not stored there yet, of shape (n_items,); shards of items that all are stored are
            not written. None: none is stored.
    """

    key_folder: KeyFolder
    shard_sizes: Sequence[int]
    takes: Callable[[str], bool] = lambda name: True
    before_writing: Callable[[int, int], None] = lambda n_items, n_bytes: None
    lacks: np.ndarray | None = None

    def part(self, batch: Computed) -> Computed:
        """The values of a batch that go there."""
        return replace(batch, values={name: v for name, v in batch.values.items() if self.takes(name)})


def begun(batches: Iterator[tuple[np.ndarray, Inputs]]) -> Iterator[tuple[np.ndarray, Inputs]]:
    """The same batches, the first already decoded and the next being decoded."""
    return chain(list(islice(batches, 1)), batches)


def compute_batches(
    batches: Iterable[tuple[np.ndarray, Inputs]], compute: Compute, n_workers: int
) -> Generator[Computed]:
    """Compute batches, several at once, and yield them in order.

    Args:
        batches: the positions of each batch's items, of shape (n_batch,), and its inputs.
        compute: what computes one.
        n_workers: how many at once; each gets its own number, from 0 on.
    """
    free: queue.SimpleQueue[int] = queue.SimpleQueue()
    for worker in range(n_workers):
        free.put(worker)
    halving = Halving("Extracting features")

    def work(positions: np.ndarray, inputs: Inputs) -> Computed:
        worker = free.get()
        try:
            parts = halving(lambda rows: compute(_rows(inputs, rows), worker), len(positions))
            return _on_host(positions, _joined(parts))
        finally:
            free.put(worker)

    running: deque[Future[Computed]] = deque()
    with ThreadPoolExecutor(n_workers, thread_name_prefix="headstart-compute") as pool:
        try:
            for positions, inputs in batches:
                running.append(pool.submit(work, positions, inputs))
                if len(running) > n_workers:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def fill(
    outputs: Sequence[Output],
    digests: np.ndarray,
    computed: Generator[Computed],
    *,
    advance: Callable[[int], None] = lambda n_done: None,
) -> None:
    """Write the values of batches, shard by shard, while other batches are computed.

    Args:
        outputs: the key folders, and which values go where; of a batch, those of the first are written first.
        digests: of shape (n_items,), the items' digests.
        computed: the batches.
        advance: called with the number of items of each computed batch.

    Raises:
        DiskFullError: the disk is full.
    """
    first = True
    with closing(computed), _Writer(outputs, digests) as writer:
        for batch in computed:
            parts = [output.part(batch) for output in outputs]
            if first:
                for output, part in zip(outputs, parts, strict=True):
                    output.before_writing(len(part.positions), sum(v.nbytes for v in part.values.values()))
                first = False
            writer.put(parts)
            advance(len(batch.positions))


def shard_sizes(n_batches: int, batches_per_shard: int) -> list[int]:
    """How many batches each shard holds: `batches_per_shard`, the last one the rest."""
    full, rest = divmod(n_batches, batches_per_shard)
    return [batches_per_shard] * full + ([rest] if rest else [])


def _rows(inputs: Inputs, rows: slice) -> Inputs:
    return {name: value[rows] for name, value in inputs.items()}


def _joined(parts: Sequence[Mapping[str, Tensor]]) -> Mapping[str, Tensor]:
    if len(parts) == 1:
        return parts[0]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _on_host(positions: np.ndarray, values: Mapping[str, Tensor]) -> Computed:
    """Bring values to the CPU; from CUDA the copies are only started, and finished at the event `arrived`."""
    if not any(value.is_cuda for value in values.values()):
        return Computed(positions, {name: value.cpu() for name, value in values.items()})
    copies = {name: value.to("cpu", non_blocking=True) for name, value in values.items()}
    arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
    arrived.record()
    return Computed(positions, copies, arrived)


class _Pending:
    """Batches that wait until they fill a shard of one output."""

    def __init__(self, output: Output, digests: np.ndarray) -> None:
        self._output, self._digests = output, digests
        self._sizes = iter(output.shard_sizes)
        self._size = next(self._sizes, 0)
        self._batches: list[Computed] = []

    def add(self, batch: Computed) -> None:
        """Take a batch; write the shard that it completes."""
        self._batches.append(batch)
        if len(self._batches) == self._size:
            self._write(self._batches)
            self._batches, self._size = [], next(self._sizes, 0)

    def _write(self, shard: Sequence[Computed]) -> None:
        for batch in shard:
            if batch.arrived is not None:
                batch.arrived.synchronize()
        positions = np.concatenate([batch.positions for batch in shard])
        lacks = self._output.lacks
        if lacks is not None and not lacks[positions].any():
            return
        parts = {name: [batch.values[name] for batch in shard] for name in shard[0].values}
        self._output.key_folder.write(self._digests[positions], parts)


class _Writer:
    """A thread that writes shards while the network computes; its failure is raised by `put`.

    One thread for all outputs: of a batch, a later output never has a shard that an earlier one lacks.
    """

    def __init__(self, outputs: Sequence[Output], digests: np.ndarray) -> None:
        self._pending = [_Pending(output, digests) for output in outputs]
        self._queue: queue.Queue[Sequence[Computed] | None] = queue.Queue(_QUEUE_LENGTH)
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

    def put(self, parts: Sequence[Computed]) -> None:
        """Pass the values of one batch, a part for each output, which must not be changed afterwards."""
        if self._failure is not None:
            raise self._failure
        self._queue.put(parts)

    def _run(self) -> None:
        try:
            while (parts := self._queue.get()) is not None:  # part of a shard at the end is not kept
                for pending, part in zip(self._pending, parts, strict=True):
                    pending.add(part)
        except BaseException as error:
            self._failure = error
            # never let the computing side wait for a writer that has ended
            while self._queue.get() is not None:
                pass
