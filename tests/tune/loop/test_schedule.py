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
from headstart.tune.loop.schedule import (
    epoch_plan,
    n_epochs_of,
    n_steps_of,
    ordered_plan,
    rate_factor,
    view_of,
)

SIZES = st.lists(st.integers(0, 40), min_size=1, max_size=4)


def buckets_of(sizes: list[int]) -> list[np.ndarray]:
    order = np.random.default_rng(0).permutation(sum(sizes))
    return np.split(order, np.cumsum(sizes)[:-1])


@given(SIZES, st.integers(1, 16), st.integers(0, 5), st.integers(1, 5))
def test_every_item_comes_once_in_even_batches_of_one_bucket(
    sizes: list[int], batch_size: int, seed: int, epoch: int
) -> None:
    buckets = buckets_of(sizes)
    plan = epoch_plan(buckets, batch_size, seed=seed, epoch=epoch)
    assert sorted(np.concatenate([*plan, []]).tolist()) == list(range(sum(sizes)))
    owner = {int(p): index for index, bucket in enumerate(buckets) for p in bucket}
    for batch in plan:
        assert 1 <= len(batch) <= batch_size
        assert len({owner[int(p)] for p in batch}) == 1
    for index in range(len(sizes)):
        lengths = [len(batch) for batch in plan if owner[int(batch[0])] == index]
        assert not lengths or max(lengths) - min(lengths) <= 1


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return np.concatenate(epoch_plan(buckets_of([30, 9]), 4, seed=seed, epoch=epoch)).tolist()

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2)
    assert order(0, 1) != order(1, 1)


@given(SIZES, st.integers(1, 16))
def test_evaluation_takes_every_item_once(sizes: list[int], batch_size: int) -> None:
    plan = ordered_plan(buckets_of(sizes), batch_size)
    assert sorted(np.concatenate([*plan, []]).tolist()) == list(range(sum(sizes)))


def test_views_are_all_drawn_and_repeatable() -> None:
    views = [view_of(3, seed=0, epoch=1, step=step) for step in range(60)]
    assert set(views) == {0, 1, 2}
    assert views == [view_of(3, seed=0, epoch=1, step=step) for step in range(60)]
    assert view_of(1, seed=0, epoch=1, step=5) == 0


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


@given(SIZES, st.integers(1, 16), st.integers(0, 5), st.integers(1, 5))
def test_drawn_epochs_have_as_many_batches_as_plain_ones(
    sizes: list[int], batch_size: int, seed: int, epoch: int
) -> None:
    buckets = buckets_of(sizes)
    weights = np.random.default_rng(seed).random(sum(sizes)) + 0.01
    plain = epoch_plan(buckets, batch_size, seed=seed, epoch=epoch)
    if not plain:
        return
    plan = epoch_plan(buckets, batch_size, seed=seed, epoch=epoch, weights=weights)
    again = epoch_plan(buckets, batch_size, seed=seed, epoch=epoch, weights=weights)
    assert [batch.tolist() for batch in plan] == [batch.tolist() for batch in again]
    assert len(plan) == len(plain)
    assert len({len(batch) for batch in plan}) == 1 and len(plan[0]) <= batch_size
    owner = {int(p): index for index, bucket in enumerate(buckets) for p in bucket}
    assert all(len({owner[int(p)] for p in batch}) == 1 for batch in plan)


def test_items_are_drawn_in_proportion_to_their_weights_whatever_their_bucket() -> None:
    buckets = [np.arange(0, 70), np.arange(70, 75), np.arange(75, 120)]
    weights = np.random.default_rng(0).random(120)
    weights[:10] = 0.0
    drawn = np.zeros(120)
    for epoch in range(1, 1501):
        plan = epoch_plan(buckets, 16, seed=0, epoch=epoch, weights=weights)
        np.add.at(drawn, np.concatenate(plan), 1)
    assert not drawn[:10].any()
    share = drawn / drawn.sum()
    np.testing.assert_allclose(share, weights / weights.sum(), atol=1e-3)


@pytest.mark.parametrize("weights", [[1.0, 1.0], [1.0, -1.0, 1.0], [0.0, 0.0, 0.0], [1.0, np.nan, 1.0]])
def test_weights_that_cannot_be_drawn_by_are_refused(weights: list[float]) -> None:
    with pytest.raises(TrainingError, match="must be 3 finite numbers"):
        epoch_plan([np.arange(3)], 2, seed=0, epoch=1, weights=np.array(weights))
