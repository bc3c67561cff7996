"""Optimizer groups by stage, and the table that tells them before training."""

from __future__ import annotations

import pytest
import torch
from tune_networks import chain, linear_head

from headstart.heads.linear import LinearHeadModule
from headstart.tune import Freeze, Policy, Recipe
from headstart.tune.loop.optimizer import as_table, head_groups, make_optimizer, policy_rows, stage_groups

STAGES = chain().stages


def test_groups_name_their_parameters_and_spare_vectors_from_decay() -> None:
    backbone = chain()
    freeze = Freeze(backbone, ["stem", "block1"])
    recipe = Recipe(lr=0.1, head_lr=0.2, weight_decay=0.3)
    groups = [
        *stage_groups(freeze, recipe, STAGES[2:]),
        *head_groups(LinearHeadModule(linear_head()), recipe),
    ]
    told = {name: (group["lr"], group["weight_decay"]) for group in groups for name, _ in group["params"]}
    assert told["network.block2.0.weight"] == (0.1, 0.3)
    assert told["network.block2.1.weight"] == (0.1, 0.0)
    assert told["head.linear.weight"] == (0.2, 0.3)
    assert told["head.linear.bias"] == (0.2, 0.0)
    assert not any("stem" in name or "block1" in name for name in told)
    assert len(told) == sum(1 for p in backbone.module.parameters() if p.requires_grad) + 2


def test_rates_decay_with_the_distance_from_the_last_stage() -> None:
    recipe = Recipe(lr=0.1, layer_decay=0.5)
    groups = stage_groups(Freeze(chain(), []), recipe, STAGES)
    rates = {str(group["name"]).split(",")[0]: group["peak_lr"] for group in groups}
    assert rates == {stage: pytest.approx(0.1 * 0.5 ** (3 - index)) for index, stage in enumerate(STAGES)}


def test_the_optimizer_is_the_recipes() -> None:
    groups = head_groups(LinearHeadModule(linear_head()), Recipe())
    sgd = make_optimizer(groups, Recipe(optimizer="sgd", momentum=0.5), torch.device("cpu"))
    assert isinstance(sgd, torch.optim.SGD) and sgd.param_groups[0]["momentum"] == 0.5
    assert isinstance(make_optimizer(groups, Recipe(), torch.device("cpu")), torch.optim.AdamW)


@pytest.mark.parametrize(
    ("text", "fates"),
    [
        ("first:1", ["frozen", "trained at 0.025", "trained at 0.05", "trained at 0.1", "trained at 0.01"]),
        ("only:block1", ["frozen", "trained at 0.025", "frozen", "frozen", "trained at 0.01"]),
        (
            "gradual",
            [
                "trained at 0.0125 from epoch 4",
                "trained at 0.025 from epoch 3",
                "trained at 0.05 from epoch 2",
                "trained at 0.1 from epoch 1",
                "trained at 0.01",
            ],
        ),
        ("all", ["frozen", "frozen", "frozen", "frozen", "trained"]),
        ("auto", ["chosen on validation"] * 4 + ["trained at 0.01"]),
    ],
)
def test_the_table_names_stage_parameters_and_fate(text: str, fates: list[str]) -> None:
    policy = Policy.parse(text, STAGES)
    freeze = Freeze(chain(), policy.frozen) if policy.cut is not None and policy.trained else None
    table = as_table(
        policy_rows(policy, freeze, Recipe(lr=0.1, head_lr=0.01, layer_decay=0.5), [1000, 20, 20, 20])
    )
    lines = [line.split(maxsplit=2) for line in table.splitlines()[1:]]
    assert [line[0] for line in lines] == [*STAGES, "head"]
    assert [" ".join(line[1:]) for line in lines[-1:]] == fates[-1:]
    assert [line[2] for line in lines[:-1]] == fates[:-1]
    assert lines[0][1] == "1,000"


def test_the_table_counts_what_trains_of_a_stage() -> None:
    policy = Policy.parse("bias", STAGES)
    freeze = Freeze(chain(), policy.frozen, policy.what)
    line = as_table(policy_rows(policy, freeze, Recipe(lr=0.1), [1000, 20, 20, 20])).splitlines()[1]
    n_biases = sum(p.numel() for n, p in chain().module.stem.named_parameters() if n.endswith("bias"))
    assert line.endswith(f"biases alone, {n_biases} of 1,000, at 0.1")
