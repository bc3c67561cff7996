"""The table of stages: printed before training, and its typed rows, which metrics.json keeps."""

from __future__ import annotations

import pytest
from tune_networks import chain

from headstart.tune import Freeze, Policy, Recipe
from headstart.tune.policies.stage_table import StageRow, as_table, policy_rows

STAGES = chain().stages
N_PARAMETERS = [1000, 20, 20, 20]


def rows_of(text: str, **settings: object) -> list[StageRow]:
    policy = Policy.parse(text, STAGES)
    freeze = None
    if policy.cut is not None and policy.trained:
        later = policy.stages[policy.resolved_cut : policy.cut_at(1)]
        freeze = Freeze(chain(), policy.frozen, policy.selection, later)
    recipe = Recipe(**{"lr": 0.1, "head_lr": 0.01, "layer_decay": 0.5, **settings})  # type: ignore[arg-type]
    return policy_rows(policy, freeze, recipe, N_PARAMETERS)


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
    table = as_table(rows_of(text))
    lines = [line.split(maxsplit=2) for line in table.splitlines()[1:]]
    assert [line[0] for line in lines] == [*STAGES, "head"]
    assert [" ".join(line[1:]) for line in lines[-1:]] == fates[-1:]
    assert [line[2] for line in lines[:-1]] == fates[:-1]
    assert lines[0][1] == "1,000"


def test_the_table_counts_what_trains_of_a_stage() -> None:
    policy = Policy.parse("bias", STAGES)
    freeze = Freeze(chain(), policy.frozen, policy.selection)
    line = as_table(policy_rows(policy, freeze, Recipe(lr=0.1), [1000, 20, 20, 20])).splitlines()[1]
    n_biases = sum(p.numel() for n, p in chain().module.stem.named_parameters() if n.endswith("bias"))
    assert line.endswith(f"biases alone, {n_biases} of 1,000, at 0.1")


def test_what_trains_and_at_which_rate_is_typed() -> None:
    frozen, *trained, head = rows_of("first:1,bias")
    assert (frozen.trains, frozen.what, frozen.n_trained, frozen.rate) == (False, "", 0, None)
    assert [(row.trains, row.what, row.rate) for row in trained] == [
        (True, "bias", rate) for rate in (0.025, 0.05, 0.1)
    ]
    biases = {n: p.numel() for n, p in chain().module.named_parameters() if n.endswith("bias")}
    assert trained[0].n_trained == sum(size for name, size in biases.items() if name.startswith("block1"))
    assert (head.trains, head.what, head.n_trained, head.rate) == (True, "whole", None, 0.01)


def test_the_parameters_of_stages_that_open_later_are_counted() -> None:
    rows = rows_of("gradual", epochs=3)
    sizes = [sum(p.numel() for p in chain().module.get_submodule(stage).parameters()) for stage in STAGES]
    assert [row.trains for row in rows] == [False, True, True, True, True]
    assert [row.n_trained for row in rows[:-1]] == [0, *sizes[1:]]


@pytest.mark.parametrize("text", ["auto", "only:auto"])
def test_nothing_trains_before_it_is_chosen(text: str) -> None:
    assert not any(row.trains or row.n_trained or row.rate for row in rows_of(text)[:-1])


def test_a_rate_that_is_yet_to_be_found_is_none() -> None:
    rows = rows_of("last:1", lr="auto")
    assert rows[3].trains and rows[3].rate is None and rows[3].fate == "trained at the rate found"
    assert rows_of("all")[-1].rate is None
