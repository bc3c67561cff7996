"""Pooled features and the states at a cut from one pass, so that a frozen prefix does not run twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from headstart import processes
from headstart.data.items import take_items
from headstart.data.loading import plan_batches
from headstart.errors import StoreError
from headstart.features.cuts import Cut
from headstart.features.device import Setting, torch_threads
from headstart.features.extraction import Inputs, Output, Values, compute_batches, fill, in_parts
from headstart.features.inference import InferenceNetwork, inference_network
from headstart.features.key_folder import KeyFolder
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
    together: bool = False,
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
        together: whether all processes of the run call this, so that each computes a share (`headstart.processes`).

    Raises:
        DiskFullError: the disk became full.
        StoreError: the store cannot be written.
    """
    setting = Setting.choose(device, precision, threads, store.root)
    job = _Job(
        Cut(source, items, digests, cut, 0, 0, setting),
        store,
        store.open(pooled_key(source, setting.precision)),
        batch_size or setting.batch_size,
        together,
    )
    lacking = processes.from_first(job.lacking) if together else job.lacking()
    if lacking is None:
        return
    if together:
        processes.jointly(lambda: job.extract(*lacking))
    else:
        job.extract(*lacking)


@dataclass(frozen=True)
class _Job:
    """One pass for vectors and states.

    Attributes:
        plan: the items and the cut.
        store: where values are kept.
        vectors: where the pooled features are.
        batch_size: images or recordings per batch.
        together: whether each process computes a share.
    """

    plan: Cut
    store: Store
    vectors: KeyFolder
    batch_size: int
    together: bool

    @cached_property
    def network(self) -> InferenceNetwork:
        """The network, prepared."""
        return inference_network(self.plan.source, self.plan.setting)

    @cached_property
    def states(self) -> KeyFolder:
        """Where the states are."""
        return self.store.open(self.plan.key)

    def lacking(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The positions of the items without vectors and of those without states; None if one pass is of no use."""
        missing = self.vectors.missing(self.plan.digests)
        if not len(missing):  # checked first: looking for states reads and verifies those that are stored
            return None
        stateless = self.states.missing(self.plan.digests)
        if not np.isin(stateless, missing).all():
            return None
        try:
            with torch_threads(1):
                self.store.make_room([self.states], room_for_states(self.plan, stateless, self.network))
        except StoreError:
            return None
        return missing, stateless

    def extract(self, missing: np.ndarray, stateless: np.ndarray) -> None:
        """Compute what is lacking, or this process's share of it, and write it."""
        plan, source, network = self.plan, self.plan.source, self.network
        items = take_items(plan.items, missing)
        batches: Sequence[np.ndarray] = plan_batches(items, source.preprocessing, batch_size=self.batch_size)
        if self.together:
            batches = processes.share(batches)
        n_items = sum(len(batch) for batch in batches)

        def compute(inputs: Inputs, worker: int) -> Sequence[Values]:
            pooled, state = network.pooled_and_state(inputs, plan.cut, worker)
            return [state.tensors, named_by_stage(pooled)]

        outputs = [
            Output(self.states, [1] * len(batches), lacks=np.isin(missing, stateless)),
            pooled_output(source, self.vectors, batches, self.batch_size),
        ]
        title = f"Extracting features, storing the first {plan.cut} stages"
        with progress(title, n_items, UNITS[source.modality]) as advance, torch_threads(1):
            computed = compute_batches(plan.load(missing, batches), in_parts(compute), plan.setting.n_workers)
            fill(
                outputs,
                plan.digests[missing],
                computed,
                before_writing=lambda first: make_room(self.store, [self.vectors], first, n_items),
                advance=advance,
            )
