"""Small staged networks and sets for the tests of training."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from headstart.backbone import Backbone, State
from headstart.heads.linear import LinearHead, LinearHeadModule

N_CLASSES = 3


class States:
    """The states of a few items, held in memory as the store would serve them, in one bucket."""

    def __init__(self, backbone: Backbone, inputs: Tensor | dict[str, Tensor], cut: int) -> None:
        self.state = backbone.prefix(inputs, cut)
        self.buckets = [np.arange(self.state.n_items)]

    def batch(self, positions: np.ndarray, backbone: Backbone | None = None) -> State:
        return self.state[positions]


def chain(seed: int = 0) -> Backbone:
    """Four stages with batch norm and dropout, 1x6x6 pictures to 8 features."""
    torch.manual_seed(seed)
    stages = {
        "stem": nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()),
        "block1": nn.Sequential(nn.Conv2d(4, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.2)),
        "block2": nn.Sequential(nn.Conv2d(6, 8, 2), nn.BatchNorm2d(8), nn.Dropout(0.2)),
        "block3": nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(8, 8)),
    }
    return Backbone(nn.Sequential(OrderedDict(stages)).eval(), {name: name for name in stages})


@pytest.fixture
def new_chain() -> Callable[[], Backbone]:
    """Makes equal networks, as loading a source again does."""
    return chain


@pytest.fixture
def pictures() -> tuple[Tensor, np.ndarray]:
    """60 pictures of 3 classes, told apart by where they are bright; of shape (60, 1, 6, 6), and labels."""
    random = np.random.default_rng(0)
    labels = np.arange(60) % N_CLASSES
    x = random.normal(size=(60, 1, 6, 6)).astype(np.float32)
    for index, label in enumerate(labels):
        x[index, 0, 2 * label : 2 * label + 2] += 1.5
    return torch.from_numpy(x), labels


def linear_head(width: int = 8, n_classes: int = N_CLASSES, stage: int = 3, seed: int = 0) -> LinearHead:
    """A head with small weights of chance."""
    random = np.random.default_rng(seed)
    return LinearHead(
        stages=(stage,),
        mean=np.zeros(width, np.float32),
        scale=np.ones(width, np.float32),
        weight=(0.01 * random.normal(size=(n_classes, width))).astype(np.float32),
        bias=np.zeros(n_classes, np.float32),
        temperature=1.0,
        classes=tuple(f"c{index}" for index in range(n_classes)),
    )


@pytest.fixture
def head_module() -> Callable[[], LinearHeadModule]:
    """Makes equal heads in torch."""
    return lambda: LinearHeadModule(linear_head())
