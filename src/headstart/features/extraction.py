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
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from types import TracebackType

import numpy as np
import torch
from torch import Tensor

from headstart.features.key_folder import KeyFolder
from headstart.memory import Halving

Inputs = dict[str, Tensor]
Values = Mapping[str, Tensor]
"""Named values of some items; the first axis of each is a multiple of n_items."""
Compute = Callable[[Inputs, int], Sequence[Values | None]]
"""From named inputs and the worker's number to the values of each output; None for an output that gets no more."""
_QUEUE_LENGTH = 4


@dataclass(frozen=True)
class Computed:
    """The values of one batch.

    Attributes:
        positions: of its items, of shape (n_batch,).
        values: of each output, on the CPU.
        arrived: on CUDA, the event after which the copies are on the CPU.
    """

    positions: np.ndarray
    values: Sequence[Values | None]
    arrived: torch.cuda.Event | None = None


@dataclass(frozen=True)
class Output:
    """Where some values of each batch go.

    Attributes:
        key_folder: where the shards are written.
        shard_sizes: how many batches each shard holds; they add up to the number of batches.
        lacks: whether each item is not stored there yet, of shape (n_items,); shards of items that all are stored are
            not written. None: none is stored.
    """

    key_folder: KeyFolder
    shard_sizes: Sequence[int]
    lacks: np.ndarray | None = None


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

    def work(positions: np.ndarray, inputs: Inputs) -> Computed:
        worker = free.get()
        try:
            return _on_host(positions, compute(inputs, worker))
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


def in_parts(compute: Compute) -> Compute:
    """The same, in parts of a batch where memory runs out; later batches keep the size that was found."""
    halving = Halving("Extracting features")

    def run(inputs: Inputs, worker: int) -> Sequence[Values | None]:
        n_items = len(next(iter(inputs.values())))
        parts = halving(lambda rows: compute({name: v[rows] for name, v in inputs.items()}, worker), n_items)
        return parts[0] if len(parts) == 1 else [_joined(of_output) for of_output in zip(*parts, strict=True)]

    return run


def fill(
    outputs: Sequence[Output],
    digests: np.ndarray,
    computed: Generator[Computed],
    *,
    before_writing: Callable[[Computed], None] = lambda first: None,
    reject: Callable[[int, np.ndarray], None] | None = None,
    advance: Callable[[int], None] = lambda n_done: None,
) -> None:
    """Write the values of batches, shard by shard, while other batches are computed.

    It ends early if no output gets values any more.

    Args:
        outputs: where the values of each go; of a batch, those of the first are written first.
        digests: of shape (n_items,), the items' digests.
        computed: the batches.
        before_writing: called once with the first batch; it may raise to stop.
        reject: called with the number of an output and the positions of a shard whose values are not all finite:
            the shard is not written, and no later one of this output. None: values are not looked at.
        advance: called with the number of items of each computed batch.

    Raises:
        DiskFullError: the disk is full.
    """
    with closing(computed), _Writer(outputs, digests, reject) as writer:
        for number, batch in enumerate(computed):
            if all(values is None for values in batch.values):
                break
            if number == 0:
                before_writing(batch)
            writer.put(batch)
            advance(len(batch.positions))


def shard_sizes(n_batches: int, batches_per_shard: int) -> list[int]:
    """How many batches each shard holds: `batches_per_shard`, the last one the rest."""
    full, rest = divmod(n_batches, batches_per_shard)
    return [batches_per_shard] * full + ([rest] if rest else [])


def _joined(parts: Sequence[Values | None]) -> Values | None:
    """The values of a batch from those of its parts."""
    whole = [part for part in parts if part is not None]
    return {name: torch.cat([part[name] for part in whole]) for name in whole[0]} if whole else None


def _on_host(positions: np.ndarray, values: Sequence[Values | None]) -> Computed:
    """Bring values to the CPU; from CUDA the copies are only started, and finished at the event `arrived`."""
    on_cuda = any(value.is_cuda for given in values for value in (given or {}).values())
    copies = [
        None
        if given is None
        else {name: value.to("cpu", non_blocking=on_cuda) for name, value in given.items()}
        for given in values
    ]
    if not on_cuda:
        return Computed(positions, copies)
    arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
    arrived.record()
    return Computed(positions, copies, arrived)


class _Pending:
    """Values of one output that wait until they fill a shard."""

    def __init__(
        self, output: Output, digests: np.ndarray, reject: Callable[[np.ndarray], None] | None
    ) -> None:
        self._output, self._digests, self._reject = output, digests, reject
        self._sizes = iter(output.shard_sizes)
        self._size = next(self._sizes, 0)
        self._waiting: list[tuple[np.ndarray, Values]] = []
        self._ended = False

    def add(self, positions: np.ndarray, values: Values | None) -> None:
        """Take the values of a batch, and write the shard that they complete; None ends this output."""
        if self._ended or values is None:
            self._ended, self._waiting = True, []
            return
        self._waiting.append((positions, values))
        if len(self._waiting) == self._size:
            self._write(self._waiting)
            self._waiting, self._size = [], next(self._sizes, 0)

    def _write(self, shard: Sequence[tuple[np.ndarray, Values]]) -> None:
        positions = np.concatenate([positions for positions, _ in shard])
        lacks = self._output.lacks
        if lacks is not None and not lacks[positions].any():
            return
        if self._reject is not None:
            finite = [all(bool(value.isfinite().all()) for value in values.values()) for _, values in shard]
            if not all(finite):
                self._ended = True
                self._reject(shard[finite.index(False)][0])
                return
        parts = {name: [values[name] for _, values in shard] for name in shard[0][1]}
        self._output.key_folder.write(self._digests[positions], parts)


class _Writer:
    """A thread that writes shards while the network computes; its failure is raised by `put`.

    One thread for all outputs: of a batch, a later output never has a shard that an earlier one lacks.
    """

    def __init__(
        self,
        outputs: Sequence[Output],
        digests: np.ndarray,
        reject: Callable[[int, np.ndarray], None] | None,
    ) -> None:
        self._pending = [
            _Pending(output, digests, None if reject is None else partial(reject, number))
            for number, output in enumerate(outputs)
        ]
        self._queue: queue.Queue[Computed | None] = queue.Queue(_QUEUE_LENGTH)
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

    def put(self, batch: Computed) -> None:
        """Pass the values of one batch, which must not be changed afterwards."""
        if self._failure is not None:
            raise self._failure
        self._queue.put(batch)

    def _run(self) -> None:
        try:
            while (batch := self._queue.get()) is not None:  # part of a shard at the end is not kept
                if batch.arrived is not None:
                    batch.arrived.synchronize()
                for pending, values in zip(self._pending, batch.values, strict=True):
                    pending.add(batch.positions, values)
        except BaseException as error:
            self._failure = error
            # never let the computing side wait for a writer that has ended
            while self._queue.get() is not None:
                pass
