"""A shelf of the store: the shards of one key, and which items lie in them."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import shutil
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from headstart.errors import DiskFullError, StoreError
from headstart.features.locks import FolderLock, remove_dead
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
from headstart.progress import say

_ITEMS = "items"
_DIGEST_LENGTH = 32
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Places:
    """Where items lie on a shelf.

    Attributes:
        shard: of shape (n_items,) int32, the number of each item's shard; -1 where it is on none.
        row: of shape (n_items,) int32, its row there.
    """

    shard: np.ndarray
    row: np.ndarray


class Shelf:
    """The shards of one key; open ones cannot be pruned.

    Args:
        folder: the key's folder.
        lock: held as long as the shelf lives.
    """

    def __init__(self, folder: Path, lock: FolderLock) -> None:
        self.folder = folder
        self._release = weakref.finalize(self, lock.close)
        self._paths: list[Path] = []
        self._layouts: list[dict[str, Layout]] = []
        self._items: list[np.ndarray] = []
        self._verified: set[str] = set()
        remove_dead(folder, TEMPORARY)
        self.refresh()

    def close(self) -> None:
        """Let others prune it; its values must not be used any more."""
        self._release()

    def refresh(self) -> None:
        """Look for shards written since, here or by another process; damaged ones are removed."""
        known = set(self._paths)
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            if path in known:
                continue
            try:
                layout = read_layout(path)
                items = map_tensor(path, layout[_ITEMS]).numpy().copy()
            except FileNotFoundError:
                continue
            except (DamagedShard, KeyError, ValueError):
                self._discard(path)
                continue
            self._paths.append(path)
            self._layouts.append(layout)
            self._items.append(items.view(f"S{_DIGEST_LENGTH}").reshape(-1))

    def find(self, digests: np.ndarray) -> Places:
        """Find items by the digest of their content; every shard they lie in has been verified.

        Args:
            digests: of shape (n_items,), text.

        Returns:
            Their places; items of damaged shards, which are removed, are on none.
        """
        wanted = item_names(digests)
        while True:
            places = self._look_up(wanted)
            if not self._drop_damaged(np.unique(places.shard[places.shard >= 0])):
                return places

    def missing(self, digests: np.ndarray) -> np.ndarray:
        """The positions of items that are not here, each content once, in order; of shape (n_missing,)."""
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
            DiskFullError: there is no room; nothing is left behind.
            StoreError: the folder cannot be written.
        """
        items = item_names(digests)
        composition = hashlib.sha256(items.tobytes()).hexdigest()[:24]
        names = torch.from_numpy(items.view(np.uint8).reshape(len(items), _DIGEST_LENGTH))
        n_bytes = sum(part.nbytes for parts in tensors.values() for part in parts) + items.nbytes
        try:
            write_shard(self.folder, composition, {**tensors, _ITEMS: [names]})
        except OSError as error:
            raise explained(error, self.folder, n_bytes) from error

    def names(self, shard: int) -> tuple[str, ...]:
        """The names of the tensors in a shard."""
        return tuple(name for name in sorted(self._layouts[shard]) if name != _ITEMS)

    def layout(self, shard: int, name: str) -> Layout:
        """The type and shape of a tensor in a shard."""
        return self._layouts[shard][name]

    def n_items(self, shard: int) -> int:
        """How many items a shard holds."""
        return len(self._items[shard])

    def tensor(self, shard: int, name: str) -> Tensor:
        """A tensor of a shard, mapped into memory.

        Raises:
            StoreError: the shard has gone since it was found.
        """
        try:
            return map_tensor(self._paths[shard], self._layouts[shard][name])
        except FileNotFoundError as error:
            raise StoreError(
                f"{self._paths[shard]} has gone from the feature store while it was in use; run again"
            ) from error

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
        """Verify shards not verified yet; drop those that are damaged and tell whether there were any."""
        damaged = set()
        for number in shards.tolist():
            path = self._paths[number]
            if path.name in self._verified:
                continue
            try:
                good = verify_shard(path)
            except FileNotFoundError:
                good = False
            if good:
                self._verified.add(path.name)
            else:
                damaged.add(number)
                self._discard(path)
        if damaged:
            kept = [number for number in range(len(self._paths)) if number not in damaged]
            self._paths = [self._paths[number] for number in kept]
            self._layouts = [self._layouts[number] for number in kept]
            self._items = [self._items[number] for number in kept]
        return bool(damaged)

    def _discard(self, path: Path) -> None:
        say(f"Stored features are damaged and will be computed again: {path}")
        with contextlib.suppress(OSError):
            path.unlink()


def item_names(digests: np.ndarray) -> np.ndarray:
    """What items are called on a shelf: of shape (n_items,), 32 hexadecimal digits each, as bytes."""
    names = [hashlib.blake2b(str(digest).encode(), digest_size=16).hexdigest() for digest in digests]
    return np.array(names, dtype=f"S{_DIGEST_LENGTH}")


def explained(error: OSError, folder: Path, n_bytes: int) -> StoreError:
    """The error of the store that says what an error of the system means.

    Args:
        error: the system's.
        folder: where it was met.
        n_bytes: how much was to be written.
    """
    if error.errno in _FULL:
        return disk_full(folder, n_bytes)
    return StoreError(
        f"the feature store cannot be written: {folder} ({error.strerror or error}); "
        "pass a folder you may write with --store, or set HEADSTART_CACHE"
    )


def disk_full(folder: Path, n_bytes: int) -> DiskFullError:
    """The error of a disk without room, naming the folder and what is needed and free."""
    try:
        n_free = shutil.disk_usage(folder).free
    except OSError:
        n_free = 0
    return DiskFullError(
        f"no room for features in {folder}: {size(n_bytes)} needed, {size(n_free)} free; "
        "free some (`headstart cache` lists and prunes what is stored), or pass another folder with --store"
    )


def size(n_bytes: int) -> str:
    """A number of bytes for people: "312 MB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.3g} {unit}"
    return f"{n_bytes} bytes"
