"""Extraction of pooled features: one pass through a frozen network, one stored vector per item and stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from headstart.data.items import take_items
from headstart.data.loading import load_batches, plan_batches
from headstart.errors import StoreError
from headstart.features.device import Precision, Setting, torch_threads
from headstart.features.extraction import Inputs, Output, begun, compute_batches, fill, shard_sizes
from headstart.features.features import Features, stage_name
from headstart.features.inference import inference_network
from headstart.features.key_folder import KeyFolder
from headstart.features.store import Key, Store
from headstart.progress import progress
from headstart.sources.source import Source
from headstart.units import UNITS

ATTEMPTS = 3
_ITEMS_PER_SHARD = 128
_TEXT_BATCHES_PER_SHARD = 8


def extract_pooled(
    source: Source,
    items: Sequence[Any],
    digests: np.ndarray,
    store: Store,
    *,
    precision: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    batch_size: int | None = None,
) -> Features:
    """Compute, or find in the store, one vector per item and stage.

    Args:
        source: the network, its stages and its preprocessing.
        items: n_items files, texts or arrays.
        digests: of shape (n_items,), text: the digest of each item's content.
        store: where values are found and kept.
        precision: "fp32", "bf16", or "auto": bf16 if the device computes it natively.
        device: "cpu", "cuda", "mps" or "auto".
        threads: cores to use; None: those this process may use.
        batch_size: images or recordings per batch; None: the fastest one measured.

    Returns:
        The features of the items in their order; items of equal content are computed once.

    Raises:
        DiskFullError: they do not fit on the disk.
        StoreError: they do not fit in the store's limit, or it cannot be written.
    """
    setting = Setting.choose(device, precision, threads)
    key_folder = store.open(pooled_key(source, setting.precision))
    job = _Job(source, items, digests, store, key_folder, setting, batch_size or setting.batch_size)
    for _ in range(ATTEMPTS):  # a shard may be found damaged after others were written
        missing = key_folder.missing(digests)
        if len(missing):
            _extract(job, missing)
            key_folder.refresh()
        places = key_folder.find(digests)
        if (places.shard >= 0).all():
            return Features.read(tuple(source.stages), key_folder, places)
    raise kept_failing(key_folder)


def pooled_key(source: Source, precision: Precision) -> Key:
    """The key under which a source's pooled features are stored."""
    return Key(
        source=source.digest,
        preprocessing=source.preprocessing.digest(),
        what="pooled",
        stages=tuple(source.stages.items()),
        precision=precision,
        label=source.uri,
    )


def kept_failing(key_folder: KeyFolder) -> StoreError:
    """The error for shards that vanish or are damaged as soon as they are written."""
    return StoreError(
        f"stored features keep being damaged or removed: {key_folder.path}; pass another folder with --store"
    )


@dataclass(frozen=True)
class _Job:
    """The arguments of one extraction; see `extract_pooled`."""

    source: Source
    items: Sequence[Any]
    digests: np.ndarray
    store: Store
    key_folder: KeyFolder
    setting: Setting
    batch_size: int


def _extract(job: _Job, missing: np.ndarray) -> None:
    """Compute the items at the positions `missing`, of shape (n_missing,), and write them."""
    preprocessing = job.source.preprocessing
    items = take_items(job.items, missing)
    batches = plan_batches(items, preprocessing, batch_size=job.batch_size)
    digests = job.digests[missing]
    loaded = begun(
        load_batches(items, preprocessing, batches, threads=job.setting.n_threads, digests=digests)
    )
    network = inference_network(job.source, job.setting)

    def compute(inputs: Inputs, worker: int) -> Inputs:
        return named_by_stage(network.pooled(inputs, worker))

    output = pooled_output(job.source, job.store, job.key_folder, batches, job.batch_size)
    unit = UNITS[job.source.modality]
    with progress("Extracting features", len(missing), unit) as advance, torch_threads(1):
        computed = compute_batches(loaded, compute, job.setting.n_workers)
        fill([output], digests, computed, advance=advance)


def named_by_stage(vectors: Sequence[Tensor]) -> Inputs:
    """The vectors of all stages, by the names under which they are stored."""
    return {stage_name(index): vector for index, vector in enumerate(vectors)}


def pooled_output(
    source: Source, store: Store, key_folder: KeyFolder, batches: Sequence[np.ndarray], batch_size: int
) -> Output:
    """How pooled features are written: they are small, so several batches per shard.

    Args:
        source: the network.
        store: makes room for them.
        key_folder: where they are written.
        batches: positions of the items of each batch.
        batch_size: images or recordings per batch.
    """
    n_items = sum(len(batch) for batch in batches)
    names = {stage_name(index) for index in range(len(source.stages))}

    def make_room(n_first: int, n_bytes: int) -> None:
        store.make_room(key_folder, n_bytes * n_items // n_first)

    text = source.modality == "text"  # whose batches hold tokens, and so any number of items
    per_shard = _TEXT_BATCHES_PER_SHARD if text else max(1, _ITEMS_PER_SHARD // batch_size)
    return Output(key_folder, shard_sizes(len(batches), per_shard), names.__contains__, make_room)
