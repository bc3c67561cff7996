"""learned_items.safetensors: by what the items that a run has learned from are recognised.

A score on them is no test. Of an item only a hash of its content is kept, the first 64 bits of a sha256: of the file,
for texts of the text without case, punctuation and spaces.

    version     int64, 1
    learned     int64 (L,), sorted: of the items that the run was learned from, or chosen by
    seen        int64 (H,), sorted: of those that it was scored on or adapted to, without learning their labels
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headstart.errors import InputError
from headstart.run_files import LEARNED_ITEMS, has_recorded
from headstart.runs.array_file import REMEDY, load_arrays

if TYPE_CHECKING:
    from headstart.data import DataSet
    from headstart.runs.directory import RunDirectory

VERSION = 1
_ARRAYS = ("learned", "seen")


@dataclass(frozen=True, eq=False)
class LearnedItems:
    """The items of a run.

    Attributes:
        learned: hashes of those that it was learned from or chosen by, sorted.
        seen: of the others that it was scored on or adapted to, sorted.
    """

    learned: NDArray[np.int64]
    seen: NDArray[np.int64]

    @classmethod
    def of(cls, data: DataSet, seen: NDArray[np.intp]) -> LearnedItems:
        """The items of a data set.

        Args:
            data: that a run was made from.
            seen: positions of the items that nothing was learned from; all others are taken as learned from.
        """
        hashes, is_seen = item_hashes(data), np.zeros(len(data), dtype=bool)
        is_seen[seen] = True
        learned = np.unique(hashes[~is_seen])
        return cls(learned, np.setdiff1d(hashes[is_seen], learned))

    def save(self, run: RunDirectory) -> None:
        """Write the file to a run that is being made.

        Raises:
            DiskFullError: no room is left.
        """
        import torch

        from headstart.runs.weights import save_tensors

        arrays = {name: torch.from_numpy(getattr(self, name).copy()) for name in _ARRAYS}
        save_tensors(run.file(LEARNED_ITEMS), {**arrays, "version": torch.tensor(VERSION)})

    @classmethod
    def load(cls, run: Path) -> LearnedItems | None:
        """Read the file of a run; None for a run that was made without one.

        Args:
            run: its folder.

        Raises:
            InputError: it is gone, damaged, or of another version.
        """
        path = run / LEARNED_ITEMS
        if not path.is_file():
            if has_recorded(run, LEARNED_ITEMS):
                raise InputError(f"{path} is missing: {REMEDY}")
            return None
        found = load_arrays(run, LEARNED_ITEMS, "the items of a run", VERSION)
        for name in _ARRAYS:
            array = found.get(name)
            if array is None or array.ndim != 1 or array.dtype != np.int64:
                raise InputError(f"{path} is damaged: {name} must be int64 of one dimension; {REMEDY}")
        return cls(*(found[name] for name in _ARRAYS))


def item_hashes(data: DataSet) -> NDArray[np.int64]:
    """The hash of each item of a data set, of shape (N,); equal for copies."""
    from headstart.data import identity

    return _hashes(identity(data.examples, data.scan))


def _hashes(keys: Iterable[str]) -> NDArray[np.int64]:
    first = [hashlib.sha256(str(key).encode("utf-8", "backslashreplace")).digest()[:8] for key in keys]
    return np.array([int.from_bytes(each, "little", signed=True) for each in first], dtype=np.int64)
