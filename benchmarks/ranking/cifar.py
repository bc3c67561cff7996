"""The small ResNets for CIFAR (He et al. 2016, section 4.2, shortcuts of option A), as a network of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """Two convolutions and a shortcut without parameters: every second pixel, and channels of zeros."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.stride, self.n_more = stride, n_out - n_in

    def forward(self, x: Tensor) -> Tensor:
        """Return maps of half the size where the stride is 2."""
        change = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.n_more:
            more = self.n_more // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, more, more))
        return F.relu(x + change)


class CifarResNet(nn.Module):
    """A convolution, three layers of blocks, the mean over pixels."""

    modality = "image"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        widths, n_blocks = config["widths"], config["blocks_per_stage"]
        self.conv1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        for number, (n_in, n_out) in enumerate(zip([widths[0], *widths], widths), 1):
            blocks = [
                Block(n_in if b == 0 else n_out, n_out, 2 if b == 0 < number - 1 else 1)
                for b in range(n_blocks)
            ]
            setattr(self, f"layer{number}", nn.Sequential(*blocks))
        self.linear = nn.Linear(widths[-1], config["num_classes"])  # of CIFAR-10, not used here
        self.stages = [f"layer{n}.{b}" for n in range(1, len(widths) + 1) for b in range(n_blocks)]

    def forward(self, pixels: Tensor) -> Tensor:
        """Return vectors of shape (N, 64) of pixels of shape (N, 3, 32, 32)."""
        x = F.relu(self.bn1(self.conv1(pixels)))
        for number in (1, 2, 3):
            x = getattr(self, f"layer{number}")(x)
        found: Tensor = torch.mean(x, dim=(2, 3))
        return found
