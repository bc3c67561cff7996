"""What items a step takes: every item once, or drawn by weights; a function of seed, epoch and step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import TrainingError
from headstart.tune.feeds.plan import epoch_plan, ordered_plan, view_of

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
