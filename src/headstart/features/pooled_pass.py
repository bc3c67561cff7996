"""One pass over items through one or several frozen networks: each batch is decoded once for all of them.

A network that fails is left out from then on, and the others go on. Every network sees the batches that it would see
alone, so its values have the same bits and its shards the same bytes.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from torch import Tensor

from headstart import processes
from headstart.data.items import item_name, take_items
from headstart.data.loading import load_batches, plan_batches
from headstart.errors import DataError, SourceError
from headstart.features.device import Setting, torch_threads
from headstart.features.extraction import (
    Compute,
    Computed,
    Inputs,
    Output,
    Values,
    begun,
    compute_batches,
    fill,
    in_parts,
    shard_sizes,
)
from headstart.features.features import stage_name
from headstart.features.inference import inference_network
from headstart.features.key_folder import KeyFolder
from headstart.features.store import Store
from headstart.features.timing import BatchTimes
from headstart.sources.source import Source

_ITEMS_PER_SHARD = 128
_TEXT_BATCHES_PER_SHARD = 8


@dataclass(frozen=True)
class Request:
    """What is extracted, and how.

    Attributes:
        items: n_items files, texts or arrays.
        digests: of shape (n_items,), text: the digest of each item's content.
        store: where values are kept.
        setting: device, precision and threads.
        batch_size: images or recordings per batch.
        together: whether all processes of the run make each pass, each with its share of the batches.
    """

    items: Sequence[Any]
    digests: np.ndarray
    store: Store
    setting: Setting
    batch_size: int
    together: bool


@dataclass(frozen=True)
class Passed:
    """What a pass tells besides the values that it wrote, by the number of a source.

    Attributes:
        failures: why a source failed; what it gave before is kept.
        seconds_per_item: of the network alone, all workers at work; sources of which too few batches were computed, and
            those computed elsewhere than on a CPU, are missing.
    """

    failures: dict[int, Exception]
    seconds_per_item: dict[int, float]


def run_pass(
    request: Request,
    sources: Sequence[Source],
    key_folders: Sequence[KeyFolder],
    missing: np.ndarray,
    *,
    advance: Callable[[int], None] = lambda n_done: None,
) -> Passed:
    """Compute the pooled features of some items by sources of equal preprocessing, and write them.

    Args:
        request: the items and how they are computed.
        sources: the networks.
        key_folders: where each one's features are written.
        missing: of shape (n_missing,), positions of the items.
        advance: called with the number of items and networks done.

    Returns:
        Failures and times.

    Raises:
        DataError: an item cannot be decoded.
        DiskFullError: the disk is full.
        StoreError: they do not fit in the store's limit, or it cannot be written.
    """
    items, digests = take_items(request.items, missing), request.digests[missing]
    preprocessing, n_threads = sources[0].preprocessing, request.setting.n_threads
    batches: Sequence[np.ndarray] = plan_batches(items, preprocessing, batch_size=request.batch_size)
    if request.together:
        batches = processes.share(batches)
    n_items = sum(len(batch) for batch in batches)
    loaded = begun(load_batches(items, preprocessing, batches, threads=n_threads, digests=digests))
    networks = _Networks(sources, request.setting, advance)

    def reject(number: int, positions: np.ndarray) -> None:
        networks.fail(number, _not_finite(sources[number], items, positions))

    with torch_threads(1):
        fill(
            [pooled_output(sources[0], folder, batches, request.batch_size) for folder in key_folders],
            digests,
            compute_batches(loaded, networks, request.setting.n_workers),
            before_writing=lambda first: make_room(request.store, key_folders, first, n_items),
            reject=reject,
        )
    return Passed(networks.failures, networks.seconds_per_item())


class _Networks:
    """Networks that compute the same batches; those that fail are left out.

    A network is prepared by the first worker that needs it. Until all are prepared, workers begin at different
    networks, so that they prepare several at once, and one prepares while another computes.

    Args:
        sources: the networks as they were loaded.
        setting: device, precision and workers.
        advance: called with the number of items that one network has done.
    """

    def __init__(self, sources: Sequence[Source], setting: Setting, advance: Callable[[int], None]) -> None:
        self.failures: dict[int, Exception] = {}
        self._advance = advance
        self._setting = setting
        self._times = [BatchTimes(setting.device) for _ in sources]
        self._sources = sources
        self._computes: dict[int, Compute | None] = {}
        self._preparing = [Lock() for _ in sources]

    def __call__(self, inputs: Inputs, worker: int) -> list[Values | None]:
        """The vectors of each network for a batch; None of one that failed."""
        n_networks = len(self._sources)
        all_prepared = len(self._computes) == n_networks
        first = 0 if all_prepared else worker * n_networks // self._setting.n_workers
        values: list[Values | None] = [None] * n_networks
        for number in (*range(first, n_networks), *range(first)):
            values[number] = self._values(number, inputs, worker)
        return values

    def seconds_per_item(self) -> dict[int, float]:
        """The time of each network on a CPU; on other devices the host does not wait for a batch."""
        if self._setting.device.type != "cpu":
            return {}
        found = {number: times.per_item(self._setting.n_workers) for number, times in enumerate(self._times)}
        return {number: seconds for number, seconds in found.items() if seconds is not None}

    def fail(self, number: int, error: Exception) -> None:
        """Leave a network out from now on, and let its memory go."""
        self.failures.setdefault(number, error)
        self._computes[number] = None
        chained: BaseException | None = error
        while chained is not None:  # the frames hold tensors
            traceback.clear_frames(chained.__traceback__)
            chained = chained.__cause__ or chained.__context__

    def _values(self, number: int, inputs: Inputs, worker: int) -> Values | None:
        try:
            compute = self._prepared(number)
            if compute is None:
                return None
            with self._times[number].batch(inputs, worker):
                (values,) = compute(inputs, worker)
        except Exception as error:
            self.fail(number, error)
            return None
        except SystemExit as stop:  # code of the user's own
            self.fail(
                number, SourceError(f"its code ends the program (sys.exit({stop.code!r})): remove that")
            )
            return None
        self._advance(len(next(iter(inputs.values()))))
        return values

    def _prepared(self, number: int) -> Compute | None:
        """What computes a network's vectors, made once; None if the network failed."""
        with self._preparing[number]:
            if number not in self._computes:
                self._computes[number] = _compute_of(self._sources[number], self._setting)
            return self._computes[number]


def _compute_of(source: Source, setting: Setting) -> Compute:
    network = inference_network(source, setting)
    return in_parts(lambda inputs, worker: [named_by_stage(network.pooled(inputs, worker))])


def named_by_stage(vectors: Sequence[Tensor]) -> Inputs:
    """The vectors of all stages, by the names under which they are stored."""
    return {stage_name(index): vector for index, vector in enumerate(vectors)}


def pooled_output(
    source: Source, key_folder: KeyFolder, batches: Sequence[np.ndarray], batch_size: int
) -> Output:
    """How pooled features are written: they are small, so several batches per shard.

    Args:
        source: the network.
        key_folder: where they are written.
        batches: positions of the items of each batch.
        batch_size: images or recordings per batch.
    """
    text = source.modality == "text"  # whose batches hold tokens, and so any number of items
    per_shard = _TEXT_BATCHES_PER_SHARD if text else max(1, _ITEMS_PER_SHARD // batch_size)
    return Output(key_folder, shard_sizes(len(batches), per_shard))


def make_room(store: Store, key_folders: Sequence[KeyFolder], first: Computed, n_items: int) -> None:
    """Make room for pooled features, from those of the first batch.

    Args:
        store: where they are kept.
        key_folders: those they are written to.
        first: the first batch; its last values are the pooled features, one for each key folder.
        n_items: how many items are computed.
    """
    pooled = [values for values in first.values[-len(key_folders) :] if values is not None]
    n_bytes = sum(value.nbytes for values in pooled for value in values.values())
    store.make_room(key_folders, n_bytes * n_items // len(first.positions))


def _not_finite(source: Source, items: Sequence[Any], positions: np.ndarray) -> DataError:
    where = f"one of {len(positions)} items, the first of them {item_name(items[int(positions[0])])}"
    return DataError(
        f"the features of {source.uri} are not finite for {where}. Extract them in fp32 (--precision fp32), or look "
        "for broken weights or inputs"
    )
