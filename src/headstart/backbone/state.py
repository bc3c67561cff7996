"""The output of a prefix at the cut: tensors of items that can be stored, sliced and joined, and their layout.

Legend: N items, r rows per item (windows, heads or patches of one item lie together).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from headstart.backbone._trees import Tree


@dataclass(frozen=True)
class Layout:
    """What is needed in addition to the tensors to continue from a cut.

    Attributes:
        cut: the cut it belongs to.
        inputs: name of each input ('' of a bare tensor) -> its description and whether the tensor itself is
            kept.
        values: name of each argument at the cut that is put in -> its description.
        answers: for each outermost call before the cut in order, its description (None: it runs), and whether
            its own value is kept.
        dense: whether placeholders need memory of their own (some networks write into them).
    """

    cut: int
    inputs: tuple[tuple[str, Tree, bool], ...]
    values: tuple[tuple[str, Tree], ...]
    answers: tuple[tuple[Tree | None, bool], ...]
    dense: bool = False

    def trees(self) -> list[Tree]:
        return [
            *(tree for _, tree, _ in self.inputs),
            *(tree for _, tree in self.values),
            *(tree for tree, _ in self.answers if tree is not None),
        ]

    def to(self, device: torch.device) -> Layout:
        return replace(
            self,
            inputs=tuple((name, tree.to(device), kept) for name, tree, kept in self.inputs),
            values=tuple((name, tree.to(device)) for name, tree in self.values),
            answers=tuple((None if tree is None else tree.to(device), kept) for tree, kept in self.answers),
        )

    def matches(self, other: Layout) -> bool:
        mine, others = self.trees(), other.trees()
        return (
            self.cut == other.cut
            and len(mine) == len(others)
            and all(
                len(a.leaves) == len(b.leaves)
                and all(x.matches(y) for x, y in zip(a.leaves, b.leaves, strict=True))
                for a, b in zip(mine, others, strict=True)
            )
        )


@dataclass(frozen=True)
class State:
    """The items of a batch at a cut.

    Attributes:
        n_items: N.
        tensors: name -> tensor of shape (N * r, ...), the rows of an item together.
        layout: how a suffix takes them; the same for any batch of the same padded shape.
    """

    n_items: int
    tensors: dict[str, Tensor]
    layout: Layout

    def __len__(self) -> int:
        return self.n_items

    def __getitem__(self, index: slice | Sequence[int] | np.ndarray | Tensor) -> State:
        """Return the items at a slice, at positions, or at the true values of a mask."""
        if isinstance(index, slice):
            chosen: slice | Tensor = index
            n_items = len(range(*index.indices(self.n_items)))
        else:
            chosen = torch.as_tensor(np.asarray(index) if not isinstance(index, Tensor) else index)
            if chosen.dtype == torch.bool:
                chosen = chosen.nonzero()[:, 0]
            chosen = chosen.long()
            n_items = len(chosen)
        tensors = {name: _take_rows(tensor, self.n_items, chosen) for name, tensor in self.tensors.items()}
        return State(n_items, tensors, self.layout)

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def to(self, device: torch.device | str) -> State:
        """Return the state on another device."""
        there = torch.device(device)
        tensors = {name: tensor.to(there, non_blocking=True) for name, tensor in self.tensors.items()}
        return State(self.n_items, tensors, self.layout.to(there))

    def with_tensors(self, tensors: Mapping[str, Tensor], n_items: int) -> State:
        """Return a state of other items of the same padded shape, in this state's precision and device.

        Args:
            tensors: those of another state of the same cut and padded shape, by the same names.
            n_items: number of items in them.

        Raises:
            ValueError: the names, or the shapes per item, differ.
        """
        if set(tensors) != set(self.tensors):
            raise ValueError(
                f"state tensors {sorted(tensors)} do not fit those expected: {sorted(self.tensors)}"
            )
        taken: dict[str, Tensor] = {}
        for name, own in self.tensors.items():
            given = tensors[name]
            rows = own.shape[0] // self.n_items
            if given.shape[1:] != own.shape[1:] or given.shape[0] != rows * n_items:
                raise ValueError(
                    f"state tensor '{name}' has shape {tuple(given.shape)} for {n_items} items; "
                    f"expected {(rows * n_items, *own.shape[1:])}"
                )
            taken[name] = given.to(device=own.device, dtype=own.dtype)
        return State(n_items, taken, self.layout)

    @staticmethod
    def join(states: Sequence[State]) -> State:
        """Return one state of the items of several, in order.

        Raises:
            ValueError: the list is empty, or they differ in cut or padded shape.
        """
        if not states:
            raise ValueError("no state to join")
        first = states[0]
        for other in states[1:]:
            if not first.layout.matches(other.layout) or set(first.tensors) != set(other.tensors):
                raise ValueError("states of different cuts or padded shapes cannot be joined")
        tensors = {name: torch.cat([state.tensors[name] for state in states]) for name in first.tensors}
        return State(sum(state.n_items for state in states), tensors, first.layout)


def _take_rows(tensor: Tensor, n_items: int, index: slice | Tensor) -> Tensor:
    """Take items from a tensor of shape (N * r, ...)."""
    rows = tensor.shape[0] // max(n_items, 1)
    if isinstance(index, Tensor):
        index = index.to(tensor.device)
    if rows == 1:
        return tensor[index]
    by_item = tensor.reshape(n_items, rows, *tensor.shape[1:])
    return by_item[index].flatten(0, 1)
