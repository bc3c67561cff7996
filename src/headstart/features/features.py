"""Pooled features of a data set, one vector per item and stage, read from the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from headstart.features.failures import how_to_remove
from headstart.features.key_folder import KeyFolder, Places


@dataclass(frozen=True)
class Features:
    """One vector per item and stage, left in the store until it is read.

    Attributes:
        stages: the names of the stages, in order.
        widths: the length of each stage's vector.
        key_folder: where the values are stored.
        places: where each item lies in it, in the order asked.
    """

    stages: tuple[str, ...]
    widths: tuple[int, ...]
    key_folder: KeyFolder
    places: Places

    @classmethod
    def read(cls, stages: tuple[str, ...], key_folder: KeyFolder, places: Places) -> Features:
        """The features of items that are stored in a key folder.

        Args:
            stages: the names of the stages.
            key_folder: where the values are stored.
            places: where each item lies.
        """
        shard = int(places.shard[0]) if len(places.shard) else None
        widths = tuple(
            key_folder.layout(shard, stage_name(index)).stored_shape[1] if shard is not None else 0
            for index in range(len(stages))
        )
        return cls(stages, widths, key_folder, places)

    def __len__(self) -> int:
        return self.n_items

    @property
    def n_items(self) -> int:
        """How many items."""
        return len(self.places.shard)

    @property
    def n_stages(self) -> int:
        """How many stages."""
        return len(self.stages)

    @property
    def origin(self) -> str:
        """Where the values come from, and how to have them computed again, for an error."""
        return f"stored in {self.key_folder.path}; `{how_to_remove(self.key_folder.path)}` removes them"

    def stage(self, index: int) -> np.ndarray:
        """The vectors of one stage, of shape (n_items, D) float32; negative indices count from the last."""
        return self.stacked([index])

    def stacked(self, indices: Sequence[int]) -> np.ndarray:
        """The vectors of several stages side by side, of shape (n_items, sum of D) float32."""
        indices = [range(self.n_stages)[index] for index in indices]
        out = np.empty((self.n_items, sum(self.widths[index] for index in indices)), np.float32)
        start = 0
        for index in indices:
            end = start + self.widths[index]
            if self.n_items:
                self.key_folder.gather(self.places, stage_name(index), torch.from_numpy(out[:, start:end]))
            start = end
        return out

    def batches(self, indices: Sequence[int], batch_size: int) -> Iterator[np.ndarray]:
        """The rows of `stacked(indices)` in batches, so that memory does not grow with the data."""
        for start in range(0, self.n_items, batch_size):
            yield self.take(np.arange(start, min(start + batch_size, self.n_items))).stacked(indices)

    def take(self, positions: np.ndarray | slice) -> Features:
        """The features of some items, by position; nothing is read."""
        return replace(self, places=Places(self.places.shard[positions], self.places.row[positions]))


def stage_name(index: int) -> str:
    """The name of a stage's vectors in a shard."""
    return f"stage.{index:03d}"
