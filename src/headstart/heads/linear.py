"""The linear head: standardise, one weight vector a class, softmax at a temperature.

    logits = ((x - mean) / scale) @ weight.T + bias;  probabilities = softmax(logits / temperature)

Legend: N items, D features (the chosen stages side by side), C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.errors import DataError

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LinearHead:
    """A fitted linear classifier on the pooled features of one or more stages.

    Attributes:
        stages: indices of the stages whose vectors are put side by side, in this order.
        mean: what is taken off each feature, of shape (D,), float32.
        scale: what each feature is divided by, of shape (D,), float32, never 0.
        weight: of shape (C, D), float32.
        bias: of shape (C,), float32.
        temperature: what the logits are divided by before the softmax.
        classes: the C class names, in the order of the columns.
    """

    stages: tuple[int, ...]
    mean: Array
    scale: Array
    weight: Array
    bias: Array
    temperature: float
    classes: tuple[str, ...]

    def logits(self, features: NDArray[np.floating]) -> Array:
        """Return the scores before the softmax, temperature not applied.

        Args:
            features: of shape (N, D).

        Returns:
            Of shape (N, C), float32.

        Raises:
            DataError: the features are not D wide.
        """
        if features.ndim != 2 or features.shape[1] != self.mean.shape[0]:
            raise DataError(
                f"The head takes features of shape (n_items, {self.mean.shape[0]}), got {features.shape}."
            )
        x_ND = (np.asarray(features, dtype=np.float32) - self.mean) / self.scale
        return np.asarray(x_ND @ self.weight.T + self.bias, dtype=np.float32)

    def probabilities(self, features: NDArray[np.floating]) -> Array:
        """Return calibrated probabilities, of shape (N, C), float32, for features of shape (N, D)."""
        return softmax(self.logits(features) / self.temperature)

    def predict(self, features: NDArray[np.floating]) -> NDArray[np.object_]:
        """Return the name of the likeliest class of each item, of shape (N,)."""
        names: NDArray[np.object_] = np.asarray(self.classes, dtype=object)
        return np.asarray(names[self.logits(features).argmax(axis=1)])

    def module(self) -> nn.Module:
        """Return the same head in torch: (N, D) features to (N, C) probabilities."""
        return LinearHeadModule(self)


class LinearHeadModule(nn.Module):
    """The torch form of a LinearHead; everything is a buffer or a parameter, so it can be exported."""

    mean: Tensor
    scale: Tensor
    temperature: Tensor

    def __init__(self, head: LinearHead) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(np.array(head.mean, dtype=np.float32)))
        self.register_buffer("scale", torch.from_numpy(np.array(head.scale, dtype=np.float32)))
        self.register_buffer("temperature", torch.tensor(float(head.temperature), dtype=torch.float32))
        self.linear = nn.Linear(head.weight.shape[1], head.weight.shape[0])
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(np.array(head.weight, dtype=np.float32)))
            self.linear.bias.copy_(torch.from_numpy(np.array(head.bias, dtype=np.float32)))

    def logits(self, x_ND: Tensor) -> Tensor:
        """Return the scores before the softmax, temperature not applied, of shape (N, C)."""
        scores: Tensor = self.linear((x_ND - self.mean) / self.scale)
        return scores

    def forward(self, x_ND: Tensor) -> Tensor:
        """Return probabilities of shape (N, C)."""
        return torch.softmax(self.logits(x_ND) / self.temperature, dim=1)


def softmax(logits_NC: NDArray[np.floating]) -> Array:
    """Return the softmax of each row, float32; safe for large logits."""
    shifted = logits_NC - logits_NC.max(axis=1, keepdims=True)
    exponents = np.exp(shifted.astype(np.float64))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), dtype=np.float32)
