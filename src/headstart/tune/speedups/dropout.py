"""Dropout on a CPU, where PyTorch draws its mask value by value, which is slow.

Here one draw of 64 bits from the same generator decides four values, 16 bits each. The mask differs from
PyTorch's but has the same distribution, except that the probability is rounded to a multiple of 2^-16.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_LEVELS = 2**16


class QuickDropout(nn.Dropout):
    """`nn.Dropout` with a mask that is drawn in words of 64 bits."""

    def forward(self, input: Tensor) -> Tensor:
        """Zero each value with probability p, and scale the others so that the mean stays."""
        return drop(input, self.p) if self.training else input


def drop(values: Tensor, p: float) -> Tensor:
    """Zero each value with probability p, and scale the others so that the mean stays.

    Args:
        values: of any shape and floating type.
        p: between 0 and 1.
    """
    n_dropped = round(p * _LEVELS)  # of the levels that a value's 16 bits can have
    if not 0 < n_dropped < _LEVELS:
        return functional.dropout(values, p)
    n_words = -(-values.numel() // 4)
    words = torch.empty(n_words, dtype=torch.int64, device=values.device).random_(-(2**63), None)
    levels = words.view(torch.int16)[: values.numel()].view(values.shape)
    keep = (levels >= n_dropped - _LEVELS // 2).to(values.dtype)
    return values * keep.mul_(_LEVELS / (_LEVELS - n_dropped))


def quicken_dropout(network: nn.Module) -> None:
    """Make the plain dropouts of a network on a CPU faster, in place; in-place dropouts are not changed."""
    for module in network.modules():
        if type(module) is nn.Dropout and not module.inplace:
            module.__class__ = QuickDropout
