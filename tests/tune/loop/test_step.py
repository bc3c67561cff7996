"""Clipping gives the bits of PyTorch's own, whether anything is scaled or not."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from headstart.tune.loop.step import clip_gradients


@pytest.mark.parametrize(
    "scale", [1e-6, 0.1, 1 - 1e-6, 1 - 1e-7, 1.0, 1 + 1e-6, 3.0, 1e30, float("inf"), float("nan"), 0.0]
)
def test_gradients_are_clipped_as_pytorch_clips_them(scale: float) -> None:
    direction = unit(7)
    ours, theirs = ([nn.Parameter(torch.zeros(n)) for n in (3, 4, 2)] for _ in range(2))
    for parameters in (ours, theirs):  # the last has no gradient
        parameters[0].grad, parameters[1].grad = (
            (scale * direction[:3]).clone(),
            (scale * direction[3:]).clone(),
        )
    clip_gradients(ours, 1.0)
    nn.utils.clip_grad_norm_(theirs, 1.0)
    for own, other in zip(ours, theirs, strict=True):
        assert (own.grad is None) == (other.grad is None)
        if own.grad is not None and other.grad is not None:
            torch.testing.assert_close(own.grad, other.grad, rtol=0, atol=0, equal_nan=True)


def unit(n: int) -> torch.Tensor:
    """A vector of norm 1."""
    values = torch.randn(n, generator=torch.Generator().manual_seed(0))
    return values / values.norm()
