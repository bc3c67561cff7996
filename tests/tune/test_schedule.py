"""Batches, views and rates as pure functions of seed, epoch and step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.tune import Recipe
from headstart.tune.schedule import epoch_plan, ordered_plan, rate_factor, view_of

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


@given(st.integers(1, 300), st.floats(0, 1), st.sampled_from(["cosine", "constant"]))
def test_the_rate_rises_then_falls_and_stays_within_its_peak(n: int, warmup: float, schedule: str) -> None:
    recipe = Recipe(warmup_share=warmup, schedule=schedule)
    factors = [rate_factor(step, n, recipe) for step in range(n)]
    assert all(0 < factor <= 1 for factor in factors)
    n_warmup = int(np.floor(warmup * n))
    assert factors[:n_warmup] == sorted(factors[:n_warmup])
    assert factors[n_warmup:] == sorted(factors[n_warmup:], reverse=True)


def test_cosine_ends_near_zero_and_constant_stays() -> None:
    assert rate_factor(99, 100, Recipe()) < 0.01
    assert rate_factor(99, 100, Recipe(schedule="constant")) == pytest.approx(1.0)
