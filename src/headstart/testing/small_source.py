"""A small source of pictures with labelled items, for the checks of policies and objectives."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from torch import Tensor, nn

from headstart.data.preprocessing import ImagePreprocessing
from headstart.sources.source import Provenance, Source
from headstart.tune.feeds.part import Part

STAGES = ("stem", "middle", "last")
CLASSES = ("dark", "bright", "striped")
SIZE, WIDTH = 8, 10


class SmallNetwork(nn.Module):
    """Three stages: convolutions with batch normalisation, then dropout, then a linear layer with layer norm."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU())
        self.middle = nn.Sequential(
            nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.2)
        )
        self.last = nn.Sequential(nn.Flatten(), nn.Linear(8 * 16, WIDTH), nn.LayerNorm(WIDTH))

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels of shape (N, 3, 8, 8) to an embedding of shape (N, 10)."""
        embedding: Tensor = self.last(self.middle(self.stem(pixels)))
        return embedding


def small_source() -> Source:
    """The network with fixed random weights, as a source."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = SmallNetwork().eval()
    preprocessing = ImagePreprocessing(size=(SIZE, SIZE), crop_pct=1.0)
    stages = {name: name for name in STAGES}
    provenance = Provenance("SmallNetwork", "custom")
    return Source("small", "image", network, stages, preprocessing, "small", provenance)


def small_part(n_items: int = 24, seed: int = 0) -> Part:
    """Pictures of three classes."""
    random = np.random.default_rng(seed)
    labels = np.arange(n_items) % len(CLASSES)
    pictures = random.integers(0, 80, (n_items, SIZE, SIZE, 3), dtype=np.uint8)
    pictures[labels == 1] += 120
    pictures[labels == 2, ::2] += 120
    digests = np.array([hashlib.sha256(picture.tobytes()).hexdigest() for picture in pictures])
    return Part(pictures, digests, labels)  # type: ignore[arg-type]
