"""Optimizer groups by stage: what trains, and at which rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from headstart.tune.objectives.objective import Objective
from headstart.tune.policies.freeze import Freeze
from headstart.tune.policies.policy import Policy
from headstart.tune.recipes.recipe import Recipe

_OBJECTIVE = "objective"


def stage_groups(freeze: Freeze, recipe: Recipe, stages: Sequence[str]) -> list[dict[str, Any]]:
    """Groups of the trained parameters of some stages, each with and without weight decay.

    Vectors (biases, affine parameters of normalisation) are not decayed. Every group carries a `name` and its
    own peak rate as `peak_lr`; its parameters are named, so that a saved optimizer can be checked.
    """
    parameters = freeze.trained_parameters()
    groups: list[dict[str, Any]] = []
    for stage in stages:
        own = [(f"network.{n}", p) for n, p in parameters.items() if freeze.stage_of(n) == stage]
        groups += _split(stage, own, recipe.stage_rate(stage, freeze.stages), recipe.weight_decay)
    return groups


def objective_groups(objective: Objective, recipe: Recipe) -> list[dict[str, Any]]:
    """Groups of the objective's own parameters, each child at its own rate."""
    groups: list[dict[str, Any]] = []
    named = {name: p for name, p in objective.named_parameters() if p.requires_grad}
    for child, rate in objective.rates(recipe).items():
        own = [name for name in named if not child or name.startswith(f"{child}.")]
        pairs = [(f"objective.{name}", named.pop(name)) for name in own]
        groups += _split(f"{_OBJECTIVE} {child}".strip(), pairs, rate, recipe.weight_decay)
    if named:
        raise TypeError(f"the objective gives no rate for {', '.join(named)}")
    return groups


def open_stages(
    optimizer: torch.optim.Optimizer, freeze: Freeze, policy: Policy | None, recipe: Recipe, epoch: int
) -> bool:
    """Open the stages that train in an epoch, in the order of their first epochs; returns whether any was opened."""
    opened = False
    for earlier in range(2, epoch + 1) if policy is not None and policy.gradual else ():
        assert policy is not None
        named = [stage for stage in policy.stages[policy.cut_at(earlier) :] if stage in freeze.frozen]
        if named:
            freeze.thaw(named)
            for group in stage_groups(freeze, recipe, named):
                optimizer.add_param_group(group)
            opened = True
    return opened


def optimizer_of(
    freeze: Freeze, objective: Objective, recipe: Recipe, device: torch.device
) -> torch.optim.Optimizer:
    """The recipe's optimizer over the open stages, then the objective's own parameters."""
    groups = stage_groups(freeze, recipe, freeze.open_stages)
    return make_optimizer([*groups, *objective_groups(objective, recipe)], recipe, device)


def make_optimizer(
    groups: list[dict[str, Any]], recipe: Recipe, device: torch.device
) -> torch.optim.Optimizer:
    """The recipe's optimizer over groups."""
    fused = device.type in ("cpu", "cuda")
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.head_lr, momentum=recipe.momentum, fused=fused)
    return torch.optim.AdamW(groups, lr=recipe.head_lr, fused=fused)


def peak_rate(optimizer: torch.optim.Optimizer) -> float:
    """The highest peak rate of a stage; of the objective if no stage trains yet."""
    groups = [group for group in optimizer.param_groups if not str(group["name"]).startswith(_OBJECTIVE)]
    return max(float(group["peak_lr"]) for group in groups or optimizer.param_groups)


def set_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Set every group to a share of its peak rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak_lr"] * factor


def _split(name: str, own: list[tuple[str, nn.Parameter]], rate: float, decay: float) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = []
    for decayed in (True, False):
        chosen = [(n, p) for n, p in own if (p.ndim > 1) == decayed]
        if chosen:
            told = name if decayed else f"{name}, not decayed"
            share = decay if decayed else 0.0
            groups.append(
                {"params": chosen, "lr": rate, "peak_lr": rate, "weight_decay": share, "name": told}
            )
    return groups
