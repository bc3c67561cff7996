"""What a training may change: the parts of the network that the policy opens, and the objective's own parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from headstart.tune.policies.freeze import Freeze


class Weights:
    """The tensors of a training, of the network and of the objective.

    Args:
        freeze: of the network.
        objective: with its parameters and buffers.
    """

    def __init__(self, freeze: Freeze, objective: nn.Module) -> None:
        self._freeze, self._objective = freeze, objective

    def by_part(self) -> dict[str, dict[str, Tensor]]:
        """The tensors themselves, by name, of each part."""
        return {"network": self._freeze.trained_state(), "objective": self._objective.state_dict()}

    def tensors(self) -> dict[str, Tensor]:
        """The tensors themselves: "network.NAME" and "objective.NAME"."""
        return {f"{part}.{name}": t for part, own in self.by_part().items() for name, t in own.items()}

    def copied(self) -> dict[str, dict[str, Tensor]]:
        """Copies on the CPU, of each part."""
        return {
            part: {name: tensor.cpu().clone() for name, tensor in own.items()}
            for part, own in self.by_part().items()
        }

    def load(self, parts: Mapping[str, Any]) -> None:
        """Restore copies, in place.

        Raises:
            TrainingError: the names are not those of the trained part of the network.
        """
        self._freeze.load_trained_state(parts["network"])
        self._objective.load_state_dict(parts["objective"])

    def put(self, values: Mapping[str, Tensor]) -> None:
        """Copy values into the tensors of the same names, in place; the others do not change."""
        for name, tensor in self.tensors().items():
            if name in values:
                tensor.detach().copy_(values[name])
