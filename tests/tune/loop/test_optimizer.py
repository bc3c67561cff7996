"""Optimizer groups by stage."""

from __future__ import annotations

import pytest
import torch
from tune_networks import chain, linear_head

from headstart.heads.linear import LinearHeadModule
from headstart.tune import Freeze, Recipe
from headstart.tune.loop.optimizer import make_optimizer, objective_groups, stage_groups
from headstart.tune.objectives.supervised import Supervised

STAGES = chain().stages


def supervised() -> Supervised:
    return Supervised(LinearHeadModule(linear_head()), Recipe(), torch.arange(3))


def test_groups_name_their_parameters_and_spare_vectors_from_decay() -> None:
    backbone = chain()
    freeze = Freeze(backbone, ["stem", "block1"])
    recipe = Recipe(lr=0.1, head_lr=0.2, weight_decay=0.3)
    groups = [
        *stage_groups(freeze, recipe, STAGES[2:]),
        *objective_groups(supervised(), recipe),
    ]
    told = {name: (group["lr"], group["weight_decay"]) for group in groups for name, _ in group["params"]}
    assert told["network.block2.0.weight"] == (0.1, 0.3)
    assert told["network.block2.1.weight"] == (0.1, 0.0)
    assert told["objective.head.linear.weight"] == (0.2, 0.3)
    assert told["objective.head.linear.bias"] == (0.2, 0.0)
    assert not any("stem" in name or "block1" in name for name in told)
    assert len(told) == sum(1 for p in backbone.module.parameters() if p.requires_grad) + 2


def test_rates_decay_with_the_distance_from_the_last_stage() -> None:
    recipe = Recipe(lr=0.1, layer_decay=0.5)
    groups = stage_groups(Freeze(chain(), []), recipe, STAGES)
    rates = {str(group["name"]).split(",")[0]: group["peak_lr"] for group in groups}
    assert rates == {stage: pytest.approx(0.1 * 0.5 ** (3 - index)) for index, stage in enumerate(STAGES)}


def test_the_optimizer_is_the_recipes() -> None:
    groups = objective_groups(supervised(), Recipe())
    sgd = make_optimizer(groups, Recipe(optimizer="sgd", momentum=0.5), torch.device("cpu"))
    assert isinstance(sgd, torch.optim.SGD) and sgd.param_groups[0]["momentum"] == 0.5
    assert isinstance(make_optimizer(groups, Recipe(), torch.device("cpu")), torch.optim.AdamW)
