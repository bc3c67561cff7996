"""A standardising linear head as the plain linear layer that other libraries hold.

    (((x - mean) / scale) @ weight.T + bias) / temperature = x @ W.T + b
    W = weight / scale / temperature,  b = (bias - weight @ (mean / scale)) / temperature

Legend: D features, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from headstart.tasks import Task


class Head(Protocol):
    """What a linear head tells of itself; `headstart.heads.LinearHead` is one.

    Attributes:
        stages: indices of the stages whose vectors are put side by side.
        mean, scale: (D,) float32.
        weight: (C, D) float32.
        bias: (C,) float32.
        temperature: what the logits are divided by.
        classes: C names.
        task: what is learned.
    """

    @property
    def stages(self) -> tuple[int, ...]: ...
    @property
    def mean(self) -> np.ndarray[Any, Any]: ...
    @property
    def scale(self) -> np.ndarray[Any, Any]: ...
    @property
    def weight(self) -> np.ndarray[Any, Any]: ...
    @property
    def bias(self) -> np.ndarray[Any, Any]: ...
    @property
    def temperature(self) -> float: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def task(self) -> Task: ...


@dataclass(frozen=True)
class FoldedHead:
    """A linear layer; what follows it (softmax, sigmoid or nothing) is the task's.

    Attributes:
        weight: (C, D) float32.
        bias: (C,) float32.
    """

    weight: Tensor
    bias: Tensor

    def only(self, used: slice) -> FoldedHead | None:
        """The same on some of the features alone; None where others count."""
        rest = self.weight.clone()
        rest[:, used] = 0
        return None if bool(rest.any()) else FoldedHead(self.weight[:, used], self.bias)


def fold_head(head: Head) -> FoldedHead:
    """Fold standardisation and temperature into one linear layer.

    Computed in float64: where a mean is large against its scale, float32 would lose digits.
    """
    weight = np.asarray(head.weight, dtype=np.float64) / np.asarray(head.scale, dtype=np.float64)
    bias = np.asarray(head.bias, dtype=np.float64) - weight @ np.asarray(head.mean, dtype=np.float64)
    return FoldedHead(
        torch.from_numpy((weight / head.temperature).astype(np.float32)),
        torch.from_numpy((bias / head.temperature).astype(np.float32)),
    )


def head_tensors(head: Head) -> dict[str, Tensor]:
    """The head as it was fitted, by name: mean, scale, weight, bias, temperature."""
    arrays = {name: getattr(head, name) for name in ("mean", "scale", "weight", "bias")}
    tensors = {name: torch.from_numpy(np.array(array, dtype=np.float32)) for name, array in arrays.items()}
    return {**tensors, "temperature": torch.tensor(float(head.temperature), dtype=torch.float32)}
