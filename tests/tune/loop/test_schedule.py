"""Batches, views and rates as pure functions of seed, epoch and step."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import TrainingError
from headstart.tune import Recipe
from headstart.tune.loop.schedule import Schedule, n_epochs_of, n_steps_of, rate_factor


@given(st.integers(1, 300), st.floats(0, 1), st.sampled_from(["cosine", "linear", "constant"]))
def test_the_rate_rises_then_falls_and_stays_within_its_peak(n: int, warmup: float, schedule: str) -> None:
    recipe = Recipe(warmup_share=warmup, schedule=schedule)
    factors = [rate_factor(step, n, recipe) for step in range(n)]
    assert all(0 < factor <= 1 for factor in factors)
    n_warmup = int(np.floor(warmup * n))
    assert factors[:n_warmup] == sorted(factors[:n_warmup])
    assert factors[n_warmup:] == sorted(factors[n_warmup:], reverse=True)


def test_cosine_and_line_end_near_zero_and_constant_stays() -> None:
    assert rate_factor(99, 100, Recipe()) < 0.01
    assert rate_factor(99, 100, Recipe(schedule="linear")) == pytest.approx(1 / 90)
    assert rate_factor(55, 100, Recipe(schedule="linear")) == pytest.approx(0.5)
    assert rate_factor(99, 100, Recipe(schedule="constant")) == pytest.approx(1.0)


def test_a_share_of_steps_is_not_one_short_through_rounding() -> None:
    recipe = Recipe(warmup_share=0.29)  # 0.29 * 100 is 28.999999999999996
    assert rate_factor(28, 100, recipe) == pytest.approx(29 / 30)
    assert rate_factor(29, 100, recipe) == 1.0


@pytest.mark.real
@pytest.mark.parametrize(
    ("n_items", "settings"),
    [
        (1_000, {"steps": 500, "warmup_share": 0.2, "decay_at": (0.4, 0.6, 0.8)}),
        (19_999, {"steps": 500, "warmup_share": 0.2, "decay_at": (0.4, 0.6, 0.8)}),
        (20_000, {"steps": 10_000, "warmup_share": 0.05, "decay_at": (0.3, 0.6, 0.9)}),
        (499_999, {"steps": 10_000, "warmup_share": 0.05, "decay_at": (0.3, 0.6, 0.9)}),
        (500_000, {"steps": 20_000, "warmup_share": 0.025, "decay_at": (0.3, 0.6, 0.9)}),
    ],
)
def test_the_schedule_by_steps_is_that_of_bit_hyperrule(
    shared: Path, n_items: int, settings: dict[str, object]
) -> None:
    golden = json.loads((shared / "golden" / "finetune_unsup.json").read_text())["BiT_HyperRule"]["lr"]
    recipe = Recipe.model_validate({"schedule": "steps", "lr": 0.003, **settings})
    n_steps = n_steps_of(recipe, 1)
    expected = {int(step): rate for step, rate in golden[str(n_items)].items()}
    assert {step for step, rate in expected.items() if rate is None} == {
        step for step in expected if step >= n_steps
    }
    for step, rate in expected.items():
        if rate is not None:
            found = float(recipe.lr) * rate_factor(step, n_steps, recipe)
            assert found == pytest.approx(rate, rel=1e-15, abs=0)


def test_the_length_is_told_in_steps_or_in_epochs() -> None:
    assert (n_steps_of(Recipe(epochs=3), 7), n_epochs_of(Recipe(epochs=3), 7)) == (21, 3)
    assert (n_steps_of(Recipe(steps=20), 7), n_epochs_of(Recipe(steps=20), 7)) == (20, 3)
    assert n_epochs_of(Recipe(steps=21), 7) == 3


def test_the_steps_of_a_training_are_those_of_its_recipe() -> None:
    batches = [np.arange(4), np.arange(4, 8), np.arange(8, 9)]
    schedule = Schedule(lambda epoch: batches, Recipe(steps=5), smallest=2)
    assert schedule.n_per_epoch == 2 and schedule.n_epochs == 3 and schedule.n_steps == 5
    assert [len(schedule.plan(epoch)) for epoch in (1, 2, 3)] == [2, 2, 1]
    context = schedule.context(3, 0)
    assert (context.n_done, context.n_steps, context.share) == (4, 5, 0.8)
    with pytest.raises(TrainingError, match="two items in a batch"):
        Schedule(lambda epoch: [np.arange(1)], Recipe(), smallest=2)
