"""Small staged networks, states and heads for the tests of training."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from headstart.backbone import Backbone, State
from headstart.heads.linear import LinearHead, LinearHeadModule
from headstart.tune import Freeze, Recipe
from headstart.tune.feeds.feed import Labelled, Machine
from headstart.tune.feeds.stored import StoredFeed
from headstart.tune.feeds.tensors import TensorFeed
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.setup import Keeping, Network
from headstart.tune.objectives.supervised import Supervised, as_targets
from headstart.tune.objectives.validation import HeldOut
from headstart.tune.training.supervised import supervised_loop

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


def pictures() -> tuple[Tensor, np.ndarray]:
    """60 pictures of 3 classes, told apart by where they are bright; of shape (60, 1, 6, 6), and labels."""
    random = np.random.default_rng(0)
    labels = np.arange(60) % N_CLASSES
    x = random.normal(size=(60, 1, 6, 6)).astype(np.float32)
    for index, label in enumerate(labels):
        x[index, 0, 2 * label : 2 * label + 2] += 1.5
    return torch.from_numpy(x), labels


def linear_head(width: int = 8, n_classes: int = N_CLASSES, stage: int = 3, seed: int = 0) -> LinearHead:
    """A head with small random weights."""
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


def labelled_loop(
    network: Network,
    train: Labelled,
    validation: Labelled | None,
    recipe: Recipe,
    *,
    head: LinearHead | None = None,
    seed: int = 0,
    machine: Machine | None = None,
    keeping: Keeping | None = None,
) -> Loop:
    """A supervised loop with a head of its own."""
    module = LinearHeadModule(linear_head() if head is None else head)
    machine = machine or Machine()
    held_out = None
    if validation is not None:
        held_out = HeldOut(
            network.backbone, network.freeze, module, validation, recipe, machine=machine, seed=seed
        )
    objective = Supervised(module, recipe, as_targets(train.labels))
    return supervised_loop(
        network, train, objective, held_out, recipe, seed=seed, machine=machine, keeping=keeping
    )


def small_loop(
    cut: int = 2,
    *,
    folder: Path | None = None,
    seed: int = 0,
    with_validation: bool = True,
    checkpoint_seconds: float = 0.0,
    identity: dict[str, object] | None = None,
    precision: str = "fp32",
    **settings: Any,
) -> Loop:
    """A training of the chain on the pictures, ready to run; equal calls train equally."""
    x, labels = pictures()
    backbone = chain()
    train, held = np.arange(40), np.arange(40, 60)
    feeds = [
        StoredFeed([States(backbone, x[part], cut)], cut, backbone) if cut else TensorFeed(x[part])
        for part in (train, held)
    ]
    recipe = Recipe(**{"epochs": 4, "batch_size": 8, "lr": 1e-2, "head_lr": 1e-2, **settings})
    return labelled_loop(
        Network(backbone, Freeze(backbone, backbone.stages[:cut])),
        Labelled(feeds[0], labels[train]),
        Labelled(feeds[1], labels[held]) if with_validation else None,
        recipe,
        seed=seed,
        machine=Machine(precision=precision, checkpoint_seconds=checkpoint_seconds),
        keeping=Keeping(folder, identity or {}),
    )


def bits(loop: Loop) -> dict[str, Tensor]:
    """Every tensor of the trained network and of the objective."""
    network = loop.network.backbone.module.state_dict()
    own = {f"objective.{name}": tensor for name, tensor in loop.objective.state_dict().items()}
    return {f"network.{name}": tensor for name, tensor in network.items()} | own


def gradients(loop: Loop) -> dict[str, torch.Tensor]:
    longest = [max(loop.schedule.plan(1), key=len)]
    positions, inputs = next(loop.items.feed.batches(longest, seed=0, epoch=1, start=0))
    loop.set_modes()
    loop.gradients(positions, inputs, epoch=1, step=0)
    return {n: p.grad.clone() for n, p in loop.freeze.trained_parameters().items() if p.grad is not None}
