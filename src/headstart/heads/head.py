"""The interface of every head: pooled features to outputs, in numpy and in torch, and the tensors that a run keeps.

Legend: N items, D features (the chosen stages side by side), C outputs (classes, labels, or 1 for a quantity).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.tasks import Task


@dataclass(frozen=True)
class FoldedHead:
    """A head as one linear layer on raw features; what follows it (softmax, sigmoid or nothing) is the task's.

    Attributes:
        weight: (C, D) float32.
        bias: (C,) float32.
    """

    weight: Tensor
    bias: Tensor

    def only(self, used: slice) -> FoldedHead | None:
        """The same layer on some of the features; None if other features have weights."""
        rest = self.weight.clone()
        rest[:, used] = 0
        return None if bool(rest.any()) else FoldedHead(self.weight[:, used], self.bias)


class Head(Protocol):
    """A fitted head on the pooled features of one or more stages.

    `heads.linear.LinearHead` is one; a head of another form implements the same.
    """

    @property
    def kind(self) -> str:
        """What it is in a word, such as "linear"."""

    @property
    def stages(self) -> tuple[int, ...]:
        """Indices of the stages whose vectors are put side by side, in this order."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The C names of classes or labels, in the order of the columns; for a quantity its own."""

    @property
    def task(self) -> Task:
        """What is learned."""

    @property
    def temperature(self) -> float:
        """What the logits are divided by; 1 for a quantity."""

    @property
    def n_features(self) -> int:
        """D."""

    def logits(self, features: NDArray[np.floating], /) -> NDArray[np.floating]:
        """Return the scores, temperature not applied, of shape (N, C), for features of shape (N, D)."""

    def outputs(self, features: NDArray[np.floating], /) -> NDArray[np.floating]:
        """Return calibrated probabilities, or values for a quantity, of shape (N, C)."""

    def predict(self, features: NDArray[np.floating], /) -> NDArray[Any]:
        """Return what is predicted for each item, of shape (N,): a class, joined labels, or a value."""

    def module(self) -> nn.Module:
        """Return the same head in torch: (N, D) features to (N, C) outputs; `torch.export` must take it."""

    def tensors(self) -> Mapping[str, Tensor]:
        """Return its numbers by name, as head.safetensors holds them."""

    def folded(self) -> FoldedHead | None:
        """Return the head as one linear layer in float32, for the class of a library; None if it is not one."""
