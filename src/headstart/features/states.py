"""Stored states: the output of a frozen prefix at a cut, computed once and read in batches of any items.

Each batch is one shard, because all states of a batch have the same shape. Items whose states have the same
shape (one padded length) form a bucket; a batch is read from one bucket.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from headstart import processes
from headstart.data.items import take_items
from headstart.data.loading import plan_batches
from headstart.errors import StoreError
from headstart.features.cuts import Cut, by_length
from headstart.features.device import Setting, torch_threads
from headstart.features.extraction import Inputs, Output, Values, compute_batches, fill, in_parts
from headstart.features.failures import how_to_remove
from headstart.features.inference import InferenceNetwork, inference_network, inputs_for
from headstart.features.key_folder import KeyFolder, Places
from headstart.features.pooled import ATTEMPTS, kept_failing
from headstart.features.store import Store
from headstart.progress import progress
from headstart.sources.source import Source
from headstart.units import UNITS

if TYPE_CHECKING:
    from headstart.backbone import Backbone, State
    from headstart.data.augment import Augment

_N_EXAMPLES = 2


class StoredStates:
    """The states of a data set's items at one cut, in the store (at cut 0, items are decoded again for each batch).

    Attributes:
        cut: the number of stages before it.
        buckets: for each shape of state, the positions of its items, of shape (n_in_bucket,); a batch is
            of one bucket.
        nbytes: bytes of all states in the store.
    """

    def __init__(
        self, plan: Cut, key_folder: KeyFolder | None, places: Places, buckets: list[np.ndarray]
    ) -> None:
        self.cut = plan.cut
        self.buckets = buckets
        self._plan = plan
        self._key_folder = key_folder
        self._places = places
        self._bucket_of = np.zeros(len(places.shard), np.int32)
        for number, positions in enumerate(buckets):
            self._bucket_of[positions] = number
        self._layouts: dict[tuple[int, int], State] = {}

    def __len__(self) -> int:
        return self.n_items

    @property
    def n_items(self) -> int:
        """How many items."""
        return len(self._places.shard)

    @property
    def nbytes(self) -> int:
        """Bytes of the states of all shards that these items lie in."""
        if self._key_folder is None:
            return 0
        return sum(self._key_folder.nbytes(number) for number in np.unique(self._places.shard).tolist())

    def batch(self, positions: np.ndarray, backbone: Backbone | None = None) -> State:
        """The states of some items of one bucket, joined in the order asked.

        Args:
            positions: of shape (n_batch,), into the data set.
            backbone: whose suffix will take them, with its device and precision; None: the source's own.

        Raises:
            ValueError: the items are of different buckets.
            StoreError: someone else stored something of another form.
        """
        backbone = backbone or self._plan.source.backbone
        positions = np.asarray(positions)
        numbers = np.unique(self._bucket_of[positions])
        if len(numbers) != 1:
            raise ValueError(
                f"the items of a batch must come from one bucket, got items of {len(numbers)} buckets"
            )
        if self._key_folder is None:
            return backbone.prefix(inputs_for(backbone, self._plan.inputs(positions)), 0)
        places = Places(self._places.shard[positions], self._places.row[positions])
        names = self._key_folder.names(int(places.shard[0]))
        tensors = {name: self._key_folder.gather(places, name) for name in names}
        computed = self._layout(int(numbers[0]), backbone)
        try:
            state = computed.with_tensors(tensors, len(positions))
        except ValueError:
            raise _foreign(self._key_folder) from None
        if any(_is_real(tensor) != _is_real(computed.tensors[name]) for name, tensor in tensors.items()):
            raise _foreign(self._key_folder)
        return state

    def _layout(self, bucket: int, backbone: Backbone) -> State:
        """The state of a few items of a bucket, computed by the backbone itself: the layout that its suffix takes."""
        known = self._layouts.get((bucket, id(backbone)))
        if known is None:
            inputs = inputs_for(backbone, self._plan.inputs(self.buckets[bucket][:_N_EXAMPLES]))
            known = self._layouts[bucket, id(backbone)] = backbone.prefix(inputs, self.cut)
        return known


def extract_states(
    source: Source,
    items: Sequence[Any],
    digests: np.ndarray,
    cut: int,
    store: Store,
    *,
    view: int = 0,
    seed: int = 0,
    augment: Augment | None = None,
    precision: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    batch_size: int | None = None,
    together: bool = False,
) -> StoredStates:
    """Compute, or find in the store, the output of a prefix for every item.

    Args:
        source: the network, its stages and its preprocessing.
        items: n_items files, texts or arrays.
        digests: of shape (n_items,), text: the digest of each item's content.
        cut: the number of stages in the prefix, `0 <= cut <= n_stages`; at 0 nothing is stored.
        store: where states are found and kept.
        view: which augmented view; 0 is the plain one.
        seed: of the augmentation.
        augment: how augmented views are made (its own seed, view and digests are not used); None: the default.
        precision: "fp32", "bf16", or "auto": bf16 if the device computes it natively.
        device: "cpu", "cuda", "mps" or "auto".
        threads: cores to use; None: those this process may use.
        batch_size: images or recordings per batch; None: the fastest one measured.
        together: whether all processes of the run call this, so that each computes a share (`headstart.processes`).

    Returns:
        The states, in buckets of one shape.

    Raises:
        DiskFullError: they do not fit on the disk.
        StoreError: they do not fit in the store's limit, or it cannot be written.
    """
    setting = Setting.choose(device, precision, threads, store.root)
    plan = Cut(source, items, digests, cut, view, seed, setting, augment)
    if cut == 0:
        batches = by_length(items, source)
        nowhere = np.full(len(items), -1, np.int32)
        return StoredStates(plan, None, Places(nowhere, nowhere), batches)
    key_folder = store.open(plan.key)

    def extract(missing: np.ndarray, together: bool = False) -> None:
        if len(missing):
            _extract(plan, missing, store, key_folder, batch_size or plan.setting.batch_size, together)
            key_folder.refresh()

    if together and processes.count() > 1:
        of_all = processes.from_first(lambda: key_folder.missing(digests))
        processes.jointly(lambda: extract(of_all, together=True))
        key_folder.refresh()  # for what others wrote after this process
    for _ in range(ATTEMPTS):
        extract(key_folder.missing(digests))
        places = key_folder.find(digests)
        if (places.shard >= 0).all():
            return StoredStates(plan, key_folder, places, _buckets(key_folder, places))
    raise kept_failing(key_folder)


def estimate_state_bytes(
    source: Source,
    items: Sequence[Any],
    cut: int,
    *,
    precision: str = "auto",
    device: str = "auto",
    threads: int | None = None,
) -> int:
    """How many bytes the states of items at a cut would take, from one item of each padded length.

    Args:
        source: the network, its stages and its preprocessing.
        items: n_items files, texts or arrays.
        cut: the number of stages in the prefix.
        precision: as for `extract_states`.
        device: as for `extract_states`.
        threads: cores to use; None: those this process may use.
    """
    if cut == 0 or not len(items):
        return 0
    setting = Setting.choose(device, precision, threads)
    nobody = np.zeros(len(items), dtype="U1")
    plan = Cut(source, items, nobody, cut, 0, 0, setting)
    with torch_threads(1):
        return room_for_states(plan, np.arange(len(items)), inference_network(source, setting))


def room_for_states(plan: Cut, positions: np.ndarray, network: InferenceNetwork) -> int:
    """Bytes of the states of the items at some positions."""
    n_bytes = 0
    for bucket in by_length(take_items(plan.items, positions), plan.source):
        inputs = plan.inputs(positions[bucket[:1]])
        n_bytes += network.prefix(inputs, plan.cut).nbytes * len(bucket)
    return n_bytes


def _extract(
    plan: Cut, missing: np.ndarray, store: Store, key_folder: KeyFolder, batch_size: int, together: bool
) -> None:
    """Compute the states at the positions `missing`, of shape (n_missing,), or this process's share, and write them."""
    items = take_items(plan.items, missing)
    batches: Sequence[np.ndarray] = plan_batches(items, plan.source.preprocessing, batch_size=batch_size)
    if together:
        batches = processes.share(batches)
    own = missing[np.concatenate([missing[:0], *batches])]
    network = inference_network(plan.source, plan.setting)

    def compute(inputs: Inputs, worker: int) -> Sequence[Values]:
        return [network.prefix(inputs, plan.cut, worker).tensors]

    title = f"Storing the first {plan.cut} stages" + (f", view {plan.view}" if plan.view else "")
    with progress(title, len(own), UNITS[plan.source.modality]) as advance, torch_threads(1):
        store.make_room([key_folder], room_for_states(plan, own, network))
        loaded = plan.load(missing, batches)
        computed = compute_batches(loaded, in_parts(compute), plan.setting.n_workers)
        fill([Output(key_folder, [1] * len(batches))], plan.digests[missing], computed, advance=advance)


def _is_real(tensor: Tensor) -> bool:
    return tensor.dtype.is_floating_point


def _foreign(key_folder: KeyFolder) -> StoreError:
    return StoreError(
        f"what is stored in {key_folder.path} is not what this source gives: remove it with "
        f"`{how_to_remove(key_folder.path)}`, or pass another folder with --store"
    )


def _buckets(key_folder: KeyFolder, places: Places) -> list[np.ndarray]:
    """Positions of the items whose states have one shape, in the order of the first file of each shape.

    A training draws its batches in this order, which must not depend on which process wrote a shard, and when.
    """
    number_of: dict[Any, int] = {}
    shards = np.unique(places.shard)
    for shard in sorted(shards.tolist(), key=key_folder.file):
        number_of.setdefault(key_folder.signature(shard), len(number_of))
    numbers = [number_of[key_folder.signature(shard)] for shard in shards.tolist()]
    bucket_of = np.array(numbers)[np.searchsorted(shards, places.shard)]
    return [np.flatnonzero(bucket_of == number) for number in range(len(number_of))]
