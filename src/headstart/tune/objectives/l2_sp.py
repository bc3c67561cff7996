"""The pull of pretrained weights towards where they started (L2-SP), which `l2_sp` of a recipe asks for."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def l2_sp(parameters: Mapping[str, nn.Parameter], anchors: Mapping[str, Tensor], strength: float) -> Tensor:
    """The pull of pretrained weights towards where they started (Li et al. 2018, L2-SP).

        strength / 2 * sum over parameters of ||w - w_start||^2

    The head has no pretrained start: it has its weight decay (the paper's beta).

    Args:
        parameters: the trained parameters of the backbone, by name.
        anchors: their values at the start, by name; others are ignored.
        strength: the paper's alpha.

    Returns:
        A scalar, with gradients.
    """
    total: Tensor | None = None
    for name, parameter in parameters.items():
        squared = (parameter - anchors[name]).square().sum(dtype=torch.float32)
        total = squared if total is None else total + squared
    if total is None:
        return torch.zeros((), requires_grad=True)
    return 0.5 * strength * total
