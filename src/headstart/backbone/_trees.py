"""Nested values (tuples, dictionaries, outputs of transformers) by how they depend on the number of items.

Legend: N items, r rows per item (windows, heads or patches of one item lie together).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

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
    device: torch.device | None = None
    value: Any = None

    def placeholder(self, n_items: int, fill: float, dense: bool) -> Any:
        """Return a value of the right shape that costs nothing and must not be used."""
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
    """A value that cannot be split by item."""


def describe(value: Any, n_items: int, kinds: Sequence[Leaf] | None = None) -> Tree:
    """Describe a nested value of `n_items` items, given what is known of its leaves from `compare`.

    Args:
        value: the value of this pass.
        n_items: number of items in this pass.
        kinds: one leaf for each leaf of the value, of which kind and dim are used; None: tensors whose
            leading size is `n_items` hold items.
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
    """Return how each leaf depends on the number of items, from two passes that differ in it.

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
