"""Small staged networks and sets for the tests of training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from headstart.heads.linear import LinearHead, LinearHeadModule

N_CLASSES = 3


@dataclass
class SmallState:
    """A stored prefix of a Chain: one tensor of shape (n_items, ...)."""

    tensor: Tensor

    def to(self, device: torch.device) -> SmallState:
        return SmallState(self.tensor.to(device))


class SmallStates:
    """Stored states in memory, in one bucket."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.buckets = [np.arange(len(tensor))]

    def batch(self, positions: np.ndarray) -> SmallState:
        return SmallState(self.tensor[torch.from_numpy(np.asarray(positions))])


class Chain:
    """A backbone whose stages are the children of one Sequential; no more than training needs."""

    def __init__(self, module: nn.Sequential) -> None:
        self.module = module
        self.stages = tuple(name for name, _ in module.named_children())

    def __call__(self, inputs: Tensor) -> Tensor:
        return self.module(inputs)

    def prefix(self, inputs: Tensor, cut: int) -> SmallState:
        self.module.eval()
        with torch.no_grad():
            return SmallState(self.module[:cut](inputs))

    def suffix(self, state: SmallState, cut: int) -> Tensor:
        return self.module[cut:](state.tensor)

    def stage_of(self, name: str) -> int:
        return self.stages.index(name.split(".")[0])

    def stage_modules(self, index: int) -> Sequence[nn.Module]:
        return [self.module[index]]


def chain(seed: int = 0) -> Chain:
    """Four stages with batch norm and dropout, 1x6x6 pictures to 8 features."""
    torch.manual_seed(seed)
    return Chain(
        nn.Sequential(
            nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()),
            nn.Sequential(nn.Conv2d(4, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.2)),
            nn.Sequential(nn.Conv2d(6, 8, 2), nn.BatchNorm2d(8), nn.Dropout(0.2)),
            nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(8, 8)),
        ).eval()
    )


@pytest.fixture
def new_chain() -> Callable[[], Chain]:
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
