"""A small real network as a source, and pictures for it."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from torch import Tensor, nn

from headstart.data.preprocessing import ImagePreprocessing
from headstart.sources.source import Provenance, Source

SIZE = 8


class TinyNet(nn.Module):
    """Three stages on 8 x 8 pictures."""

    def __init__(self, width: int = 8, n_features: int = 16) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())
        self.layer1 = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())
        self.layer2 = nn.Sequential(nn.Conv2d(width, n_features, 3, stride=2), nn.ReLU())

    def forward(self, pixels: Tensor) -> Tensor:
        return self.layer2(self.layer1(self.stem(pixels))).mean((2, 3))


def make_tiny_source(seed: int = 0, n_features: int = 16) -> Source:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = TinyNet(n_features=n_features).eval()
    return Source(
        uri="tiny",
        modality="image",
        network=network,
        stages={"stem": "stem", "layer1": "layer1", "layer2": "layer2"},
        preprocessing=ImagePreprocessing(size=(SIZE, SIZE), crop_pct=1.0),
        digest=f"tiny-{seed}-{n_features}",
        provenance=Provenance(architecture="TinyNet", library="custom"),
    )


def make_pictures(n_items: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of shape (n_items, 8, 8, 3) uint8 and the digests of their content."""
    items = np.random.default_rng(seed).integers(0, 256, (n_items, SIZE, SIZE, 3), dtype=np.uint8)
    return items, np.array([hashlib.sha256(item.tobytes()).hexdigest() for item in items])
