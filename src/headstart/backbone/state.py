"""What a prefix leaves at the cut: tensors of items that can be stored, sliced and joined, and their layout.

Legend: N items, r rows an item (windows, heads or patches of one item lie together).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten

Kind = Literal["items", "constant", "count", "object"]


@dataclass(frozen=True)
class Leaf:
    """How one value depends on the number of items, and what it was in one pass.

    Attributes:
        kind: "items": a tensor with a dimension of N * r; "constant": a tensor that is the same for any N;
            "count": an integer N * r; "object": anything else.
        dim: the dimension of items.
        rows: r.
        shape: of the tensor, for any N (the size at `dim` is not used).
        value: the constant or object itself.
    """

    kind: Kind
    dim: int = 0
    rows: int = 1
    shape: tuple[int, ...] = ()
    dtype: torch.dtype = torch.float32
    device: torch.device = torch.device("cpu")
    value: Any = None

    def placeholder(self, n_items: int, fill: float, dense: bool) -> Any:
        """Return a value of the right shape that cost nothing to compute and must not be used."""
        if self.kind == "count":
            return self.rows * n_items
        if self.kind != "items":
            return self.value
        shape = (*self.shape[: self.dim], self.rows * n_items, *self.shape[self.dim + 1 :])
        if not self.dtype.is_floating_point:
            fill = 0
        if dense:
            return torch.full(shape, fill, dtype=self.dtype, device=self.device)
        return torch.full((), fill, dtype=self.dtype, device=self.device).expand(shape)

    def matches(self, other: Leaf) -> bool:
        """Whether tensors of both can be joined."""
        if self.kind != other.kind:
            return False
        if self.kind == "items":
            mine = (self.dim, self.rows, self.shape[: self.dim], self.shape[self.dim + 1 :])
            return mine == (other.dim, other.rows, other.shape[: other.dim], other.shape[other.dim + 1 :])
        return self.kind != "count" or self.rows == other.rows


@dataclass(frozen=True)
class Tree:
    """A nested value (tuples, lists, dictionaries, outputs of transformers) as its leaves."""

    spec: TreeSpec
    leaves: tuple[Leaf, ...]

    def to(self, device: torch.device) -> Tree:
        return replace(
            self,
            leaves=tuple(
                replace(
                    leaf,
                    device=device,
                    value=leaf.value.to(device) if isinstance(leaf.value, Tensor) else leaf.value,
                )
                for leaf in self.leaves
            ),
        )

    def placeholder(self, n_items: int, fill: float, dense: bool) -> Any:
        return tree_unflatten([leaf.placeholder(n_items, fill, dense) for leaf in self.leaves], self.spec)

    def split(self, value: Any, prefix: str) -> dict[str, Tensor]:
        """Return the tensors of items in `value`, the dimension of items first, named from `prefix`."""
        flat, _ = tree_flatten(value)
        return {
            self.name(prefix, index): tensor.movedim(leaf.dim, 0).detach()
            for index, (leaf, tensor) in enumerate(zip(self.leaves, flat, strict=True))
            if leaf.kind == "items"
        }

    def rebuild(self, tensors: Mapping[str, Tensor], prefix: str, n_items: int) -> Any:
        """Return the nested value again, from tensors of any number of items."""
        flat = [
            tensors[self.name(prefix, index)].movedim(0, leaf.dim).clone()
            if leaf.kind == "items"
            else leaf.placeholder(n_items, 0.0, False)
            for index, leaf in enumerate(self.leaves)
        ]
        return tree_unflatten(flat, self.spec)

    def name(self, prefix: str, index: int) -> str:
        return prefix if len(self.leaves) == 1 else f"{prefix}.{index}"


class Unsliceable(Exception):
    """A value that cannot be told apart by item."""


def describe(value: Any, n_items: int, kinds: Sequence[Leaf] | None = None) -> Tree:
    """Describe a nested value of `n_items` items, given what is known of its leaves from `compare`.

    Args:
        value: the value of this pass.
        n_items: number of items in this pass.
        kinds: one leaf for each leaf of the value, of which kind and dim are used; None: tensors whose leading
            size is `n_items` hold items.
    """
    flat, spec = tree_flatten(value)
    if kinds is None:
        kinds = [
            Leaf("items" if isinstance(part, Tensor) and part.ndim and part.shape[0] == n_items else "object")
            for part in flat
        ]
    if len(kinds) != len(flat):
        raise Unsliceable(f"{len(flat)} values in place of {len(kinds)}")
    leaves: list[Leaf] = []
    for known, part in zip(kinds, flat, strict=True):
        if known.kind == "items" and isinstance(part, Tensor):
            rows, rest = divmod(part.shape[known.dim], max(n_items, 1))
            if rest:
                raise Unsliceable(f"size {part.shape[known.dim]} for {n_items} items")
            leaves.append(Leaf("items", known.dim, rows, tuple(part.shape), part.dtype, part.device))
        elif known.kind == "count" and isinstance(part, int):
            leaves.append(Leaf("count", rows=part // max(n_items, 1)))
        elif isinstance(part, Tensor):
            leaves.append(Leaf("constant", 0, 1, tuple(part.shape), part.dtype, part.device, part.detach()))
        else:
            leaves.append(Leaf("object", value=part))
    return Tree(spec, tuple(leaves))


def compare(first: Any, n_first: int, second: Any, n_second: int) -> list[Leaf]:
    """Tell how each leaf depends on the number of items, from two passes that differ in it.

    Raises:
        Unsliceable: another structure, or a tensor that mixes items (two dimensions that grow with them).
    """
    flat_first, spec_first = tree_flatten(first)
    flat_second, spec_second = tree_flatten(second)
    if len(flat_first) != len(flat_second) or str(spec_first) != str(spec_second):
        raise Unsliceable("its structure depends on the number of items")
    return [_compare_leaf(a, n_first, b, n_second) for a, b in zip(flat_first, flat_second, strict=True)]


def _compare_leaf(first: Any, n_first: int, second: Any, n_second: int) -> Leaf:
    if not isinstance(first, Tensor) or not isinstance(second, Tensor):
        if type(first) is int and type(second) is int and first != second:
            if first * n_second != second * n_first:
                raise Unsliceable(f"a number that is {first} for {n_first} items and {second} for {n_second}")
            return Leaf("count", rows=first // n_first)
        return Leaf("object", value=first)
    if first.ndim != second.ndim:
        raise Unsliceable("the number of dimensions depends on the number of items")
    grown = [dim for dim in range(first.ndim) if first.shape[dim] != second.shape[dim]]
    if not grown:
        return Leaf("constant")
    dim = grown[0]
    if len(grown) > 1 or first.shape[dim] * n_second != second.shape[dim] * n_first:
        raise Unsliceable(
            f"shapes {tuple(first.shape)} and {tuple(second.shape)} for {n_first} and {n_second} items"
        )
    return Leaf("items", dim)


@dataclass(frozen=True)
class Layout:
    """All that is needed beside the tensors to go on from a cut.

    Attributes:
        cut: the cut it belongs to.
        inputs: name or position of each input -> its description and whether the tensor itself is kept.
        values: name of each argument at the cut that is put in -> its description.
        answers: for each outermost call before the cut in order, its description (None: it runs), and whether
            its own value is kept.
        dense: whether placeholders need memory of their own (some networks write into them).
    """

    cut: int
    inputs: tuple[tuple[str | int, Tree, bool], ...]
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
    """The items of a batch as they stand at a cut.

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
        """Return the items at a slice, at positions, or where a mask is true."""
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
            tensors: what another state of the same cut and padded shape held, by the same names.
            n_items: number of items in them.

        Raises:
            ValueError: the names or the shapes of an item differ.
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
            ValueError: there is none, or they differ in cut or padded shape.
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
    return tensor.unflatten(0, (n_items, rows))[index].flatten(0, 1)
