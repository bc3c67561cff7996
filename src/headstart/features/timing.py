"""How long a network takes per item, from batches that are computed anyway.

    seconds per item = sum over shapes of (items of the shape x its fastest batch, per item) / items / cores

A batch is computed by one core with one thread, so its processor time is what it takes: time in which other programs
have the core does not count, and of equal batches the fastest counts. Batches of texts are of several shapes. The first
batch of each worker makes kernels and traces the network, and is left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
import torch

from headstart.data.items import take_items
from headstart.data.loading import load_batches, plan_batches
from headstart.features.device import Setting, torch_threads
from headstart.features.extraction import Inputs, Values, compute_batches
from headstart.features.inference import inference_network
from headstart.sources.source import Source

LEAST_BATCHES = 3  # with fewer, one that was disturbed could count
_N_ITEMS = 32  # of a network that is timed on its own


class BatchTimes:
    """The times of one network's batches; several workers may add to it at once.

    Args:
        device: where it is computed; elsewhere than on a CPU, the block of `batch` must wait for the values.
    """

    def __init__(self, device: torch.device) -> None:
        self._clock = time.thread_time if device.type == "cpu" else time.perf_counter
        self._lock = Lock()
        self._warm: set[int] = set()
        self._n_batches = 0
        self._of_shape: dict[tuple[int, ...], tuple[int, float]] = {}

    @contextmanager
    def batch(self, inputs: Inputs, worker: int) -> Iterator[None]:
        """Time the block that computes a batch; one that raises does not count.

        Args:
            inputs: of the batch; the first axis is the items.
            worker: who computes it.
        """
        started = self._clock()
        yield
        seconds = self._clock() - started
        n_items, *shape = next(iter(inputs.values())).shape
        with self._lock:
            if worker not in self._warm:
                self._warm.add(worker)
                return
            n_before, best = self._of_shape.get(tuple(shape), (0, float("inf")))
            self._of_shape[tuple(shape)] = n_before + n_items, min(best, seconds / n_items)
            self._n_batches += 1

    def per_item(self, n_workers: int) -> float | None:
        """Seconds per item with all workers at work; None if too few batches were computed.

        Args:
            n_workers: how many compute at once.
        """
        if self._n_batches < LEAST_BATCHES:
            return None
        n_items = sum(count for count, _ in self._of_shape.values())
        return sum(count * best for count, best in self._of_shape.values()) / n_items / n_workers


def seconds_per_item(source: Source, items: Sequence[Any], setting: Setting) -> float:
    """Time a network on some of the items, decoding left out.

    Args:
        source: the network.
        items: n_items files, texts or arrays; a few of them, evenly spaced, are decoded.
        setting: device, precision and threads.

    Raises:
        DataError: an item cannot be decoded.
    """
    few = take_items(items, np.unique(np.linspace(0, len(items) - 1, _N_ITEMS).astype(np.intp)))
    plan = plan_batches(few, source.preprocessing, batch_size=setting.batch_size)
    decoded = list(load_batches(few, source.preprocessing, plan, threads=setting.n_threads))
    network, times = inference_network(source, setting), BatchTimes(setting.device)

    def compute(inputs: Inputs, worker: int) -> list[Values | None]:
        with times.batch(inputs, worker):
            return [{"last": network.pooled(inputs, worker)[-1].cpu()}]

    n_rounds = 1 + -(-LEAST_BATCHES * setting.n_workers // len(decoded))
    with torch_threads(1):
        for _ in compute_batches(decoded * n_rounds, compute, setting.n_workers):
            pass
    found = times.per_item(setting.n_workers)
    assert found is not None  # each worker computes one batch that does not count, and the rest are enough
    return found
