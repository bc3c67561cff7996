"""Optimizer groups by stage: what trains, at which rate, and a table that says so before training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from headstart.tune.policies.freeze import Freeze
from headstart.tune.policies.policy import SURGICAL, Policy
from headstart.tune.recipes.recipe import Recipe

_HEAD = "head"


def rate_of(stage: str, stages: Sequence[str], recipe: Recipe) -> float:
    """The peak rate of a stage: the recipe's, decayed by its distance from the last stage.

    Raises:
        TypeError: the recipe's rate is "auto", which the rate finder replaces before training.
    """
    if isinstance(recipe.lr, str):
        raise TypeError("the rate 'auto' must be found before training")
    distance: int = len(stages) - 1 - list(stages).index(stage)
    return recipe.lr * recipe.layer_decay**distance


def stage_groups(freeze: Freeze, recipe: Recipe, stages: Sequence[str]) -> list[dict[str, Any]]:
    """Groups of the trained parameters of some stages, each with and without weight decay.

    Vectors (biases, affine parameters of normalisation) are not decayed. Every group carries a `name` and its
    own peak rate as `peak_lr`; its parameters are named, so that a saved optimizer can be told apart.
    """
    parameters = freeze.trained_parameters()
    groups: list[dict[str, Any]] = []
    for stage in stages:
        own = [(f"network.{n}", p) for n, p in parameters.items() if freeze.stage_of(n) == stage]
        groups += _split(stage, own, rate_of(stage, freeze.stages, recipe), recipe.weight_decay)
    return groups


def head_groups(head: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Groups of the head's parameters."""
    own = [(f"head.{n}", p) for n, p in head.named_parameters()]
    return _split(_HEAD, own, recipe.head_lr, recipe.weight_decay)


def make_optimizer(
    groups: list[dict[str, Any]], recipe: Recipe, device: torch.device
) -> torch.optim.Optimizer:
    """The recipe's optimizer over groups."""
    fused = device.type in ("cpu", "cuda")
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.head_lr, momentum=recipe.momentum, fused=fused)
    return torch.optim.AdamW(groups, lr=recipe.head_lr, fused=fused)


def peak_rate(optimizer: torch.optim.Optimizer) -> float:
    """The highest peak rate of a stage."""
    groups = [group for group in optimizer.param_groups if not str(group["name"]).startswith(_HEAD)]
    return max(float(group["peak_lr"]) for group in groups or optimizer.param_groups)


def set_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Set every group to a share of its peak rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak_lr"] * factor


@dataclass(frozen=True)
class StageRow:
    """A stage, or the head, under a policy.

    Attributes:
        stage: its name.
        n_parameters: of the stage, adapters not counted; None for the head.
        fate: whether it is frozen, or trains at which rate.
    """

    stage: str
    n_parameters: int | None
    fate: str


def policy_rows(
    policy: Policy, freeze: Freeze | None, recipe: Recipe, n_parameters: Sequence[int]
) -> list[StageRow]:
    """What a policy does to each stage and to the head.

    Args:
        policy: what is frozen.
        freeze: its owner; None where no stage trains, or the policy is yet to choose.
        recipe: of the rates.
        n_parameters: number of parameters of each stage, in order, adapters not counted.
    """
    rows = [
        StageRow(stage, n, _fate(index, policy, freeze, recipe, n))
        for index, (stage, n) in enumerate(zip(policy.stages, n_parameters, strict=True))
    ]
    head = f"trained at {recipe.head_lr:g}" if policy.trains_stages else "trained"
    return [*rows, StageRow("head", None, head)]


def as_table(rows: Sequence[StageRow]) -> str:
    """The rows as text in columns, under a line of their names."""
    cells = [("stage", "parameters", "")]
    cells += [
        (row.stage, "" if row.n_parameters is None else f"{row.n_parameters:,}", row.fate) for row in rows
    ]
    width, number_width = (max(len(cell[column]) for cell in cells) for column in (0, 1))
    return "\n".join(f"{a:<{width}}  {b:>{number_width}}  {c}".rstrip() for a, b, c in cells)


def _fate(index: int, policy: Policy, freeze: Freeze | None, recipe: Recipe, n_parameters: int) -> str:
    stage = policy.stages[index]
    if policy.cut is None:
        return "chosen by its gradients" if policy.text == SURGICAL else "chosen on validation"
    if freeze is None or stage not in policy.trained:
        return "frozen"
    own = {n: p for n, p in freeze.trained_parameters().items() if freeze.stage_of(n) == stage}
    n_trained = sum(parameter.numel() for parameter in own.values())
    rate = "the rate found" if isinstance(recipe.lr, str) else f"{rate_of(stage, policy.stages, recipe):g}"
    if policy.gradual:
        epoch = max(1, len(policy.stages) - index)
        if recipe.steps is None and epoch > recipe.epochs:
            return f"frozen (it would open in epoch {epoch} of {recipe.epochs})"
        return f"trained at {rate} from epoch {epoch}"
    if policy.what == "whole":
        return f"trained at {rate}" if n_trained else "frozen (it has no parameters)"
    named = {"norm": "normalisation", "bias": "biases", "adapter": "adapters"}[policy.what]
    if not n_trained:
        return f"frozen (it has no {named})"
    if policy.adapter is not None:
        return f"frozen, with {policy.adapter.method} adapters of {n_trained:,} at {rate}"
    return f"{named} alone, {n_trained:,} of {n_parameters:,}, at {rate}"


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
