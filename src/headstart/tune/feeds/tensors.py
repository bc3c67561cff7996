"""Batches of inputs that are in memory already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.backbone import Backbone
from headstart.tune.feeds.feed import run_whole
from headstart.tune.feeds.plan import Positions


class TensorFeed:
    """Batches of inputs that are in memory already: tensors by name, or one tensor.

    Args:
        inputs: of shape (n_items, ...) each.
    """

    def __init__(self, inputs: Tensor | Mapping[str, Tensor]) -> None:
        self.inputs = inputs
        first = inputs if isinstance(inputs, Tensor) else next(iter(inputs.values()))
        self.n_items = len(first)
        self.buckets: Sequence[Positions] = [np.arange(self.n_items)]

    def batches(
        self, plan: Sequence[Positions], *, seed: int, epoch: int, start: int = 0
    ) -> Iterator[tuple[Positions, Any]]:
        for positions in plan[start:]:
            index = torch.from_numpy(positions)
            if isinstance(self.inputs, Tensor):
                yield positions, self.inputs[index]
            else:
                yield positions, {name: tensor[index] for name, tensor in self.inputs.items()}

    def run(self, backbone: Backbone, inputs: Any, device: torch.device) -> Tensor:
        return run_whole(backbone, inputs, device)
