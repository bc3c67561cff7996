"""Extraction of pooled features: one pass through a frozen network, one vector an item and stage, stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from headstart.errors import StoreError
from headstart.features.device import Precision, Setting
from headstart.features.extraction import Compute, Inputs, fill, shard_sizes
from headstart.features.features import Features, stage_name
from headstart.features.network import inference_network
from headstart.features.shelf import Shelf
from headstart.features.store import Key, Store
from headstart.progress import progress
from headstart.sources.source import Source

BATCH_SIZE = 32
UNITS = {"image": "images", "text": "texts", "audio": "clips"}
_BATCHES_PER_SHARD = 8
_ATTEMPTS = 3


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
    """Compute, or find in the store, one vector an item and stage.

    Args:
        source: the network, its stages and its preprocessing.
        items: n_items files, texts or arrays.
        digests: of shape (n_items,), text: the digest of each item's content.
        store: where values are found and kept.
        precision: "fp32", "bf16", or "auto": bf16 where the device computes it natively.
        device: "cpu", "cuda", "mps" or "auto".
        threads: cores to use; None: those this process may use.
        batch_size: images or clips a batch; None: what was found fastest.

    Returns:
        The features of the items in their order; items of equal content are computed once.

    Raises:
        DiskFullError: there is no room for them.
        StoreError: they are more than the store may hold, or it cannot be written.
    """
    setting = Setting.choose(device, precision, threads)
    shelf = store.open(pooled_key(source, setting.precision))
    for _ in range(_ATTEMPTS):  # a shard may turn out damaged, or be damaged by others, after it was written
        missing = shelf.missing(digests)
        if len(missing):
            _extract(source, items, digests, missing, store, shelf, setting, batch_size or BATCH_SIZE)
            shelf.refresh()
        places = shelf.find(digests)
        if (places.shard >= 0).all():
            return Features.read(tuple(source.stages), shelf, places)
    raise StoreError(
        f"stored features keep being damaged or removed: {shelf.folder}; pass another folder with --store"
    )


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


def _extract(
    source: Source,
    items: Sequence[Any],
    digests: np.ndarray,
    missing: np.ndarray,
    store: Store,
    shelf: Shelf,
    setting: Setting,
    batch_size: int,
) -> None:
    """Compute the items at the positions `missing`, of shape (n_missing,), and write them on the shelf."""
    from headstart.data.loading import load_batches, plan_batches

    wanted = [items[position] for position in missing]
    batches = plan_batches(wanted, source.preprocessing, batch_size=batch_size)

    def make_room(n_items: int, n_bytes: int) -> None:
        store.make_room(shelf, n_bytes * len(missing) // n_items)

    with progress("Extracting features", len(missing), UNITS[source.modality]) as advance, setting.threads():
        fill(
            shelf,
            digests[missing],
            load_batches(wanted, source.preprocessing, batches, threads=setting.n_threads),
            shard_sizes(len(batches), _BATCHES_PER_SHARD),
            _pooling(source, setting),
            advance=advance,
            before_writing=make_room,
        )


def _pooling(source: Source, setting: Setting) -> Compute:
    """What computes a batch: named inputs to one float32 vector an item and stage, of shape (n_batch, D)."""
    network = inference_network(source, setting)

    def compute(inputs: Inputs) -> Inputs:
        with torch.inference_mode(), network.running():
            vectors = network.backbone.pooled(network.prepare(inputs))
            return {stage_name(index): vector.float() for index, vector in enumerate(vectors)}

    return compute
