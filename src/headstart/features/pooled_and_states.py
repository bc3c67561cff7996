"""Pooled features and the states at a cut from one pass, so that a frozen prefix does not run twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.data.items import take_items
from headstart.data.loading import plan_batches
from headstart.errors import StoreError
from headstart.features.cuts import Cut
from headstart.features.device import Setting, torch_threads
from headstart.features.extraction import Inputs, Output, Values, compute_batches, fill, in_parts
from headstart.features.inference import inference_network
from headstart.features.pooled import pooled_key
from headstart.features.pooled_pass import make_room, named_by_stage, pooled_output
from headstart.features.states import room_for_states
from headstart.features.store import Store
from headstart.progress import progress
from headstart.sources.source import Source
from headstart.units import UNITS


def extract_pooled_and_states(
    source: Source,
    items: Sequence[Any],
    digests: np.ndarray,
    cut: int,
    store: Store,
    *,
    precision: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    batch_size: int | None = None,
) -> None:
    """Store in one pass what `extract_pooled` and `extract_states` would, if the states of no other items are missing.

    States are written first, so a kill leaves them a few batches ahead: the same batches are computed again. If states
    are missing of items whose vectors are stored, or do not fit, nothing is done: each then makes its own pass.

    Args:
        source: the network, its stages and its preprocessing.
        items: n_items files, texts or arrays.
        digests: of shape (n_items,), text: the digest of each item's content.
        cut: the number of stages in the prefix, `0 < cut < n_stages`.
        store: where values are kept.
        precision: "fp32", "bf16", or "auto": bf16 if the device computes it natively.
        device: "cpu", "cuda", "mps" or "auto".
        threads: cores to use; None: those this process may use.
        batch_size: images or recordings per batch; None: the fastest one measured.

    Raises:
        DiskFullError: the disk became full.
        StoreError: the store cannot be written.
    """
    setting = Setting.choose(device, precision, threads, store.root)
    plan = Cut(source, items, digests, cut, 0, 0, setting)
    vectors = store.open(pooled_key(source, setting.precision))
    missing = vectors.missing(digests)
    if not len(missing):  # checked first: looking for states reads and verifies those that are stored
        return
    states = store.open(plan.key)
    stateless = states.missing(digests)
    if not np.isin(stateless, missing).all():
        return
    network = inference_network(source, setting)
    try:
        with torch_threads(1):
            store.make_room([states], room_for_states(plan, stateless, network))
    except StoreError:
        return
    size = batch_size or setting.batch_size
    batches = plan_batches(take_items(items, missing), source.preprocessing, batch_size=size)

    def compute(inputs: Inputs, worker: int) -> Sequence[Values]:
        pooled, state = network.pooled_and_state(inputs, cut, worker)
        return [state.tensors, named_by_stage(pooled)]

    outputs = [
        Output(states, [1] * len(batches), lacks=np.isin(missing, stateless)),
        pooled_output(source, vectors, batches, size),
    ]
    title = f"Extracting features, storing the first {cut} stages"
    with progress(title, len(missing), UNITS[source.modality]) as advance, torch_threads(1):
        computed = compute_batches(plan.load(missing, batches), in_parts(compute), setting.n_workers)
        fill(
            outputs,
            digests[missing],
            computed,
            before_writing=lambda first: make_room(store, [vectors], first, len(missing)),
            advance=advance,
        )
