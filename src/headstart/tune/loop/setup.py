"""What a loop is given, in three groups: the network, the items, and where its state is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from headstart.tune.feeds.feed import Feed
from headstart.tune.feeds.plan import Plan
from headstart.tune.policies.freeze import Freeze
from headstart.tune.policies.policy import Policy

Mix = Callable[..., tuple[Any, Tensor]]
"""Mixes the items of a batch: `mix(inputs, targets, epoch=, step=)` gives new inputs and targets."""


@dataclass(frozen=True, eq=False)
class Network:
    """The network that trains.

    Attributes:
        backbone: the staged network, on the device; trained in place.
        freeze: the owner of what is frozen in it.
        policy: says when further stages begin to train; None: frozen stages stay frozen.
    """

    backbone: Any
    freeze: Freeze
    policy: Policy | None = None


@dataclass(frozen=True, eq=False)
class Items:
    """What is learned from.

    Attributes:
        feed: gives batches and runs them through the backbone.
        targets: of all items, by position; None: the objective needs none.
        plan: the batches of each epoch.
        mix: mixes the items of each batch; None: they are not mixed.
        weights: of the losses of all items, by position, of mean 1; None: all the same.
    """

    feed: Feed
    targets: Tensor | None
    plan: Plan
    mix: Mix | None = None
    weights: Tensor | None = None


OnEpoch = Callable[[Path | None, Mapping[str, Any]], None]


@dataclass(frozen=True, eq=False)
class Keeping:
    """Where a training keeps what it needs to resume.

    Attributes:
        folder: for checkpoints and history.jsonl; None keeps nothing.
        must_equal: what must be equal for a checkpoint to be resumed, as plain values by their names in
            messages.
        on_epoch: takes `folder` and the history's row of each epoch, in the first process; None: nobody listens.
        at_end: whether the state at the end is kept too, so that what follows can be resumed.
    """

    folder: Path | None = None
    must_equal: Mapping[str, Any] = field(default_factory=dict)
    on_epoch: OnEpoch | None = None
    at_end: bool = True
