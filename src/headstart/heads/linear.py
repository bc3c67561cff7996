"""The linear head: standardise, one weight vector per output, and what the task makes of the scores.

    logits = ((x - mean) / scale) @ weight.T + bias
    outputs = softmax(logits / temperature) | sigmoid(logits / temperature) | logits    (see `tasks`)

For a quantity weight and bias give standardised scores; `unit` makes values of them, in float64, and these count as its
logits.

Legend: N items, D features (the chosen stages side by side), C outputs (classes, labels, or 1 for a quantity).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.errors import DataError
from headstart.heads.head import FoldedHead, Head
from headstart.heads.reduce import Rotation
from headstart.tasks import CLASSIFICATION, OWN, Targets, TargetScale, Task

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LinearHead:
    """A fitted linear head on the pooled features of one or more stages.

    Attributes:
        stages: indices of the stages whose vectors are put side by side, in this order.
        mean: what is subtracted from each feature, of shape (D,), float32.
        scale: what each feature is divided by, of shape (D,), float32, never 0.
        weight: of shape (C, D), float32.
        bias: of shape (C,), float32.
        temperature: what the logits are divided by before the softmax or sigmoid; 1 for a quantity.
        classes: the C names of classes or labels, in the order of the columns; for a quantity its own.
        task: what is learned.
        unit: of a quantity, in which weight and bias give its scores; classes and labels have none.
    """

    stages: tuple[int, ...]
    mean: Array
    scale: Array
    weight: Array
    bias: Array
    temperature: float
    classes: tuple[str, ...]
    task: Task = CLASSIFICATION
    unit: TargetScale = OWN

    @classmethod
    def on_rotated(
        cls,
        rotation: Rotation,
        weight_CR: NDArray[np.floating],
        bias_C: NDArray[np.floating],
        stages: tuple[int, ...],
        temperature: float,
        targets: Targets,
        unit: TargetScale | None = None,
    ) -> LinearHead:
        """Return the head on raw features from weights on rotated ones.

        Args:
            rotation: of the stages' features.
            weight_CR: on the rotated features, of shape (C, R).
            bias_C: of shape (C,).
            stages: indices of the stages.
            temperature: of the head.
            targets: the task with its C names.
            unit: in which the weights give the scores of a quantity; None: its own.
        """
        return cls(
            stages=stages,
            mean=rotation.standardiser.mean,
            scale=rotation.standardiser.scale,
            weight=rotation.weights(weight_CR),
            bias=bias_C.astype(np.float32),
            temperature=temperature,
            classes=targets.classes,
            task=targets.task,
            unit=unit or OWN,
        )

    @property
    def kind(self) -> str:
        """What it is in a word."""
        return "linear"

    @property
    def n_features(self) -> int:
        """D."""
        return len(self.mean)

    def logits(self, features: NDArray[np.floating]) -> NDArray[Any]:
        """Return the scores before the softmax, temperature not applied; for a quantity its values.

        Args:
            features: of shape (N, D).

        Returns:
            Of shape (N, C), float32; for a quantity float64.

        Raises:
            DataError: the features are not D wide.
        """
        if features.ndim != 2 or features.shape[1] != self.mean.shape[0]:
            raise DataError(
                f"The head takes features of shape (n_items, {self.mean.shape[0]}), got {features.shape}."
            )
        x_ND = (np.asarray(features, dtype=np.float32) - self.mean) / self.scale
        return self.unit.outward(np.asarray(x_ND @ self.weight.T + self.bias, dtype=np.float32))

    def outputs(self, features: NDArray[np.floating]) -> NDArray[Any]:
        """Return calibrated probabilities, or values for a quantity, of shape (N, C), of the task's `dtype`.

        Args:
            features: of shape (N, D).
        """
        return self.task.activated(self.logits(features), self.temperature)

    probabilities = outputs

    def predict(self, features: NDArray[np.floating]) -> NDArray[np.generic]:
        """Return what is predicted for each item, of shape (N,): a class, joined labels, or a value."""
        return np.asarray(Targets(self.task, self.classes).decode(self.outputs(features)))

    def scoring(self, unit: TargetScale) -> LinearHead:
        """Return the head whose logits are this one's in another unit, as a training sees them.

        Args:
            unit: value = shift + factor * logit.
        """
        if unit == self.unit:
            return replace(self, unit=OWN)
        factor, shift = self.unit.factor / unit.factor, (self.unit.shift - unit.shift) / unit.factor
        weight = np.asarray(self.weight, dtype=np.float64) * factor
        bias = np.asarray(self.bias, dtype=np.float64) * factor + shift
        return replace(self, weight=weight.astype(np.float32), bias=bias.astype(np.float32), unit=OWN)

    def module(self) -> nn.Module:
        """Return the same head in torch: (N, D) features to (N, C) outputs."""
        return LinearHeadModule(self)

    def tensors(self) -> dict[str, Tensor]:
        """Return the head as it was fitted: mean, scale, weight, bias, temperature."""
        arrays = {name: getattr(self, name) for name in ("mean", "scale", "weight", "bias")}
        tensors = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in arrays.items()}
        return {**tensors, "temperature": torch.tensor(float(self.temperature), dtype=torch.float32)}

    def folded(self) -> FoldedHead | None:
        """Fold standardisation and temperature into one linear layer.

            (((x - mean) / scale) @ weight.T + bias) / temperature = x @ W.T + b
            W = weight / scale / temperature,  b = (bias - weight @ (mean / scale)) / temperature

        Computed in float64: if a mean is large compared with its scale, float32 would lose digits. Values of a quantity
        are folded in too; None if float32 cannot tell them apart.
        """
        if self.unit != OWN:
            return self.scoring(OWN).folded() if self.unit.fits_float32 else None
        weight = np.asarray(self.weight, dtype=np.float64) / np.asarray(self.scale, dtype=np.float64)
        bias = np.asarray(self.bias, dtype=np.float64) - weight @ np.asarray(self.mean, dtype=np.float64)
        return FoldedHead(
            torch.from_numpy((weight / self.temperature).astype(np.float32)),
            torch.from_numpy((bias / self.temperature).astype(np.float32)),
        )


def linear_or_none(head: Head | None) -> LinearHead | None:
    """Return the head if it is linear, else None: a training can start only from a linear head."""
    return head if isinstance(head, LinearHead) else None


class LinearHeadModule(nn.Module):
    """The torch form of a LinearHead; everything is a buffer or a parameter, so it can be exported."""

    mean: Tensor
    scale: Tensor
    temperature: Tensor

    def __init__(self, head: LinearHead) -> None:
        super().__init__()
        self.task, self.unit = head.task, head.unit
        self.register_buffer("mean", torch.from_numpy(np.array(head.mean, dtype=np.float32)))
        self.register_buffer("scale", torch.from_numpy(np.array(head.scale, dtype=np.float32)))
        self.register_buffer("temperature", torch.tensor(float(head.temperature), dtype=torch.float32))
        self.linear = nn.Linear(head.weight.shape[1], head.weight.shape[0])
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(np.array(head.weight, dtype=np.float32)))
            self.linear.bias.copy_(torch.from_numpy(np.array(head.bias, dtype=np.float32)))

    def logits(self, x_ND: Tensor) -> Tensor:
        """Return the scores before the softmax, temperature not applied, of shape (N, C); standardised ones."""
        scores: Tensor = self.linear((x_ND - self.mean) / self.scale)
        return scores

    def forward(self, x_ND: Tensor) -> Tensor:
        """Return probabilities, or values for a quantity, of shape (N, C)."""
        return self.unit.outward_tensor(self.task.activated_tensor(self.logits(x_ND), self.temperature))
