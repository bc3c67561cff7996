"""Dropout on a CPU, where PyTorch draws its mask value by value: a sixth of a step of MiniLM with 16 short texts.

Here four values are decided by one draw of 64 bits, each by 16 of them, from the same generator: another mask than
PyTorch's, of the same law but that the probability is rounded to a multiple of 2^-16.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LEVELS = 2**16


class QuickDropout(nn.Dropout):
    """`nn.Dropout` with a mask that is drawn in words of 64 bits."""

    def forward(self, input: Tensor) -> Tensor:
        """Zero each value with probability p, and scale the others so that the mean stays."""
        n_dropped = round(self.p * _LEVELS)  # of the levels that a value's 16 bits can have
        if not self.training or not 0 < n_dropped < _LEVELS:
            return super().forward(input)
        n_words = -(-input.numel() // 4)
        words = torch.empty(n_words, dtype=torch.int64, device=input.device).random_(-(2**63), None)
        levels = words.view(torch.int16)[: input.numel()].view(input.shape)
        keep = (levels >= n_dropped - _LEVELS // 2).to(input.dtype)
        return input * keep.mul_(_LEVELS / (_LEVELS - n_dropped))


def quicken_dropout(network: nn.Module) -> None:
    """Make the plain dropouts of a network on a CPU quick, in place; what writes into its input is left."""
    for module in network.modules():
        if type(module) is nn.Dropout and not module.inplace:
            module.__class__ = QuickDropout
