"""A small convolutional network for 8x8 images: the architecture of the bundled source.

Its module path stays: stored features and finished runs name it.

Legend: N items, H and W = 8.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn


class LettersNet(nn.Module):
    """Four convolutional blocks and a mean over positions.

    Args:
        config: `widths`, the channels of the four blocks.
    """

    stages = ("block1", "block2", "block3", "block4")

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        first, second, third, fourth = config["widths"]
        self.block1 = _block(3, first)
        self.block2 = _block(first, second)
        self.block3 = nn.Sequential(nn.MaxPool2d(2), _block(second, third))
        self.block4 = _block(third, fourth)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the embedding of shape (N, widths[3]) of normalised pixels of shape (N, 3, 8, 8)."""
        maps = self.block4(self.block3(self.block2(self.block1(pixels))))
        return cast(Tensor, maps.mean(dim=(2, 3)))


def _block(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(inplace=False)
    )


def train_classifier(
    network: nn.Module,
    n_features: int,
    pixels: Tensor,
    labels: Tensor,
    *,
    n_steps: int,
    lr: float,
    seed: int,
    batch_size: int = 256,
) -> nn.Linear:
    """Train a network and a linear classifier on top with AdamW and a one-cycle rate; return the classifier.

    Args:
        network: gives (N, n_features) from pixels; trained in place and left in eval mode.
        n_features: width of its embedding.
        pixels: float32 of shape (n_items, 3, H, W).
        labels: int64 of shape (n_items,).
        n_steps: number of steps.
        lr: peak learning rate.
        seed: seed of the classifier's weights and of the order of items.
        batch_size: items per step, at most.
    """
    torch.manual_seed(seed)
    classifier = nn.Linear(n_features, int(labels.max()) + 1)
    parameters = [*network.parameters(), *classifier.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=n_steps)
    network.train()
    order = torch.Generator().manual_seed(seed)
    for _ in range(n_steps):
        picked = torch.randint(len(pixels), (min(batch_size, len(pixels)),), generator=order)
        loss = nn.functional.cross_entropy(
            classifier(network(pixels[picked])), labels[picked], label_smoothing=0.05
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    network.eval()
    return classifier
