"""Network, pooling and head as one module: inputs to outputs; this is what a run exports."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from headstart.backbone import Backbone
from headstart.heads.head import Head


class Predictor(nn.Module):
    """Gives probabilities, or values for a quantity, for the inputs that a network takes.

    Args:
        backbone: the staged network.
        head: the head on the pooled vectors of some of its stages.
    """

    def __init__(self, backbone: Backbone, head: Head) -> None:
        super().__init__()
        self.pooler = backbone.pooler()
        self.head = head.module()
        self.stages = head.stages

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return outputs of shape (N, C), for inputs in the order of the network's forward."""
        vectors = self.pooler(*inputs)
        chosen = torch.cat([vectors[index] for index in self.stages], dim=1)
        return cast(Tensor, self.head(chosen))
