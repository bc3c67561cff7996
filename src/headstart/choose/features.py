"""What the choice needs of features: named stages, and one matrix for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class StageFeatures(Protocol):
    """Pooled features of N items at every stage; headstart.features.Features is one."""

    @property
    def stages(self) -> tuple[str, ...]:
        """The stage names, in order."""

    @property
    def n_items(self) -> int:
        """The number of items."""

    def stage(self, index: int) -> NDArray[np.float32]:
        """Return the vectors of one stage, of shape (N, D)."""


@dataclass(frozen=True, eq=False)
class ArrayFeatures:
    """Features held in memory, for scripts and tests."""

    stages: tuple[str, ...]
    arrays: tuple[NDArray[np.float32], ...]

    @property
    def n_items(self) -> int:
        """The number of items."""
        return len(self.arrays[0])

    def stage(self, index: int) -> NDArray[np.float32]:
        """Return the vectors of one stage, of shape (N, D)."""
        return self.arrays[index]


@dataclass(frozen=True, eq=False)
class Rows:
    """Some items of other features, in the order given."""

    base: StageFeatures
    positions: NDArray[np.integer]

    @property
    def stages(self) -> tuple[str, ...]:
        """The stage names, in order."""
        return self.base.stages

    @property
    def n_items(self) -> int:
        """The number of items."""
        return len(self.positions)

    def stage(self, index: int) -> NDArray[np.float32]:
        """Return the vectors of one stage, of shape (N, D)."""
        return np.asarray(self.base.stage(index)[self.positions])


def rows_of(features: StageFeatures, positions: NDArray[np.integer]) -> StageFeatures:
    """Return the features of some items; nothing is read if the features can select rows themselves."""
    take = getattr(features, "take", None)
    if take is not None:
        taken: StageFeatures = take(positions)
        return taken
    return Rows(features, positions)


def described(features: StageFeatures, indices: tuple[int, ...]) -> str:
    """Return the names of stages for an error, and where their vectors come from if that is known."""
    names = "stage " + " + ".join(features.stages[index] for index in indices)
    origin = getattr(features, "origin", None)
    return names if origin is None else f"{names} ({origin})"


def stacked(features: StageFeatures, indices: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the vectors of several stages side by side, of shape (N, sum of widths)."""
    if len(indices) == 1:
        return features.stage(indices[0])
    return np.concatenate([features.stage(index) for index in indices], axis=1)


class StageRows:
    """Several stages side by side as a matrix that is read by slices of rows."""

    def __init__(self, features: StageFeatures, indices: tuple[int, ...]) -> None:
        self._features = features
        self._indices = indices
        width = self[0:1].shape[1]
        self.shape = (features.n_items, width)

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        """Return the rows, of shape (n, D)."""
        if hasattr(self._features, "take"):
            positions = np.arange(*rows.indices(self._features.n_items))
            return stacked(rows_of(self._features, positions), self._indices)
        return np.concatenate([self._features.stage(index)[rows] for index in self._indices], axis=1)
