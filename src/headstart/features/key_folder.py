"""The folder of one key of the store: its shards, and which items lie in them."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from headstart.errors import StoreError
from headstart.features.failures import explained, removed
from headstart.features.shards import (
    SUFFIX,
    TEMPORARY,
    DamagedShard,
    Layout,
    map_tensor,
    read_layout,
    verify_shard,
    write_shard,
)
from headstart.locks import FolderLock, remove_dead
from headstart.progress import say

_ITEMS = "items"
_DIGEST_LENGTH = 32


@dataclass(frozen=True)
class Places:
    """Where items lie in a key folder.

    Attributes:
        shard: of shape (n_items,) int32, the number of each item's shard; -1 for an item that is not stored.
        row: of shape (n_items,) int32, its row there.
    """

    shard: np.ndarray
    row: np.ndarray


class KeyFolder:
    """The shards of one key; open ones cannot be pruned.

    Args:
        path: where the folder is.
        lock: held as long as this object lives.
        vectors: the names of the tensors, if each holds one float32 vector per item; None: of any form.
    """

    def __init__(self, path: Path, lock: FolderLock, vectors: frozenset[str] | None = None) -> None:
        self.path = path
        self._vectors = vectors
        self._release = weakref.finalize(self, lock.close)
        self._paths: list[Path] = []
        self._layouts: list[dict[str, Layout]] = []
        self._items: list[np.ndarray] = []
        self._verified: set[str] = set()
        remove_dead(path, TEMPORARY)
        self.refresh()

    def close(self) -> None:
        """Let other processes prune it; its values must not be used after this."""
        self._release()

    def refresh(self) -> None:
        """Look for shards written since, here or by another process; damaged ones are removed.

        Raises:
            StoreError: the system cannot read one.
        """
        known = set(self._paths)
        for path in sorted(self.path.glob(f"*{SUFFIX}")):
            if path in known:
                continue
            try:
                layout = read_layout(path)
                self._require_expected(path, layout)
                names = map_tensor(path, layout[_ITEMS]).numpy().copy()
                items = names.view(f"S{_DIGEST_LENGTH}").reshape(-1)
            except FileNotFoundError:
                continue
            except MemoryError:
                raise
            except Exception as error:  # a damaged header can say anything; it is not verified yet
                self._require_damage(error)
                self._discard(path)
                continue
            self._paths.append(path)
            self._layouts.append(layout)
            self._items.append(items)

    def _require_expected(self, path: Path, layouts: Mapping[str, Layout]) -> None:
        """Refuse a shard that says it holds something else than `write` is given; the bytes may be right.

        Raises:
            DamagedShard: it does.
        """
        values = {name: layout for name, layout in layouts.items() if name != _ITEMS}
        items = layouts.get(_ITEMS)
        if items is None or items.dtype != torch.uint8 or items.stored_shape[1:] != (_DIGEST_LENGTH,):
            raise DamagedShard(path.name)
        n_items = items.stored_shape[0]
        if not n_items or any(layout.stored_shape[0] % n_items for layout in values.values()):
            raise DamagedShard(path.name)
        if self._vectors is not None and (
            values.keys() != self._vectors
            or any(layout.dtype != torch.float32 for layout in values.values())
            or any(len(layout.axes) != 2 or layout.stored_shape[0] != n_items for layout in values.values())
        ):
            raise DamagedShard(path.name)

    def find(self, digests: np.ndarray) -> Places:
        """Find items by the digest of their content; every shard they lie in has been verified.

        Args:
            digests: of shape (n_items,), text.

        Returns:
            Their places. Damaged shards are removed, and their items count as not stored.

        Raises:
            StoreError: the system cannot read a shard.
        """
        wanted = item_names(digests)
        while True:
            places = self._look_up(wanted)
            if not self._drop_damaged(np.unique(places.shard[places.shard >= 0])):
                return places

    def missing(self, digests: np.ndarray) -> np.ndarray:
        """The positions of items that are not stored here, each content once, in order; of shape (n_missing,)."""
        wanted = item_names(digests)
        _, first = np.unique(wanted, return_index=True)
        first.sort()
        absent = self.find(digests).shard[first] < 0
        return first[absent]

    def write(self, digests: np.ndarray, tensors: Mapping[str, Sequence[Tensor]]) -> None:
        """Write the values of items as one shard.

        Args:
            digests: of shape (n_items,), text: the items, in the order of their rows.
            tensors: name to the parts of a tensor; joined, its first axis is a multiple of n_items.

        Raises:
            DiskFullError: the disk is full; nothing is left behind.
            StoreError: the folder cannot be written.
        """
        items = item_names(digests)
        composition = hashlib.sha256(items.tobytes()).hexdigest()[:24]
        names = torch.from_numpy(items.view(np.uint8).reshape(len(items), _DIGEST_LENGTH))
        n_bytes = sum(part.nbytes for parts in tensors.values() for part in parts) + items.nbytes
        try:
            write_shard(self.path, composition, {**tensors, _ITEMS: [names]})
        except FileNotFoundError:
            raise removed(self.path) from None
        except OSError as error:
            raise explained(error, self.path, n_bytes) from error

    def file(self, shard: int) -> str:
        """The name of a shard's file; unlike the number, it does not depend on when a shard was found."""
        return self._paths[shard].name

    def names(self, shard: int) -> tuple[str, ...]:
        """The names of the tensors in a shard."""
        return tuple(name for name in sorted(self._layouts[shard]) if name != _ITEMS)

    def layout(self, shard: int, name: str) -> Layout:
        """The type and shape of a tensor in a shard."""
        return self._layouts[shard][name]

    def signature(self, shard: int) -> tuple[object, ...]:
        """What the rows of a shard's tensors look like; shards that agree in it can be joined."""
        n_items = self.n_items(shard)
        return tuple(
            (name, layout.dtype, layout.axes, layout.stored_shape[0] // n_items, layout.stored_shape[1:])
            for name, layout in sorted(self._layouts[shard].items())
        )

    def nbytes(self, shard: int) -> int:
        """Bytes of the values in a shard."""
        return sum(layout.n_bytes for name, layout in self._layouts[shard].items() if name != _ITEMS)

    def n_items(self, shard: int) -> int:
        """How many items a shard holds."""
        return len(self._items[shard])

    def tensor(self, shard: int, name: str) -> Tensor:
        """A tensor of a shard, mapped into memory.

        Raises:
            StoreError: the shard was removed after it was found.
        """
        try:
            return map_tensor(self._paths[shard], self._layouts[shard][name])
        except FileNotFoundError as error:
            raise StoreError(
                f"{self._paths[shard]} was removed from the feature store while it was in use; run again"
            ) from error

    def gather(self, places: Places, name: str, out: Tensor | None = None) -> Tensor:
        """Copy the rows of items out of their shards, which must be of one signature.

        Args:
            places: where n_items items lie, none missing.
            name: of the tensor.
            out: filled if given, of shape (n_items * r, ...).

        Returns:
            The rows, of shape (n_items * r, ...), those of an item together, in the shards' memory order.
        """
        n_items = len(places.shard)
        layout = self.layout(int(places.shard[0]), name)
        n_rows = layout.stored_shape[0] // self.n_items(int(places.shard[0]))
        if out is None:
            out = layout.empty(n_items * n_rows)
        by_item = _by_item(out, n_items)
        order = np.argsort(places.shard, kind="stable")
        numbers, starts = np.unique(places.shard[order], return_index=True)
        for number, positions in zip(numbers.tolist(), np.split(order, starts[1:])):
            values = _by_item(self.tensor(number, name), self.n_items(number))
            by_item[torch.from_numpy(positions)] = values[torch.from_numpy(places.row[positions]).long()]
        return out

    def _look_up(self, wanted: np.ndarray) -> Places:
        shard = np.full(len(wanted), -1, np.int32)
        row = np.zeros(len(wanted), np.int32)
        if not self._items or not len(wanted):
            return Places(shard, row)
        items = np.concatenate(self._items)
        order = np.argsort(items, kind="stable")
        at = np.searchsorted(items, wanted, sorter=order).clip(max=len(items) - 1)
        at = order[at]
        here = items[at] == wanted
        counts = [len(part) for part in self._items]
        numbers = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        starts = np.repeat(np.cumsum([0, *counts[:-1]]), counts)
        shard[here] = numbers[at[here]]
        row[here] = (at - starts[at])[here]
        return Places(shard, row)

    def _drop_damaged(self, shards: np.ndarray) -> bool:
        """Verify shards that were not verified yet, drop the damaged ones; return whether any was damaged."""
        damaged = set()
        for number in shards.tolist():
            path = self._paths[number]
            if path.name in self._verified:
                continue
            try:
                good = verify_shard(path)
            except FileNotFoundError:
                good = False
            except OSError as error:
                self._require_damage(error)
                good = False
            if good:
                self._verified.add(path.name)
            else:
                damaged.add(number)
        found = [number for number in shards.tolist() if number not in damaged]
        if self._vectors is not None and len({self.signature(number) for number in found}) > 1:
            # vectors of one stage have one length, and nothing says which of them is right
            damaged.update(found)
        for number in damaged:
            self._discard(self._paths[number])
        if damaged:
            kept = [number for number in range(len(self._paths)) if number not in damaged]
            self._paths = [self._paths[number] for number in kept]
            self._layouts = [self._layouts[number] for number in kept]
            self._items = [self._items[number] for number in kept]
        return bool(damaged)

    def _require_damage(self, error: Exception) -> None:
        """Pass on an error of the system, after which a shard may still be whole; a pipe in its place is damage."""
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise explained(error, self.path, 0) from error

    def _discard(self, path: Path) -> None:
        say(f"Stored features are damaged and will be computed again: {path}")
        with contextlib.suppress(OSError):
            path.unlink()


def item_names(digests: np.ndarray) -> np.ndarray:
    """The names of items in a key folder: of shape (n_items,), 32 hexadecimal digits each, as bytes."""
    names = (hashlib.blake2b(str(digest).encode(), digest_size=16).hexdigest().encode() for digest in digests)
    return np.fromiter(names, dtype=f"S{_DIGEST_LENGTH}", count=len(digests))


def _by_item(tensor: Tensor, n_items: int) -> Tensor:
    """A view of shape (n_items, r, ...) of a tensor of shape (n_items * r, ...)."""
    return tensor.view(n_items, tensor.shape[0] // max(n_items, 1), *tensor.shape[1:])
