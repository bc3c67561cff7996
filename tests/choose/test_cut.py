"""The advised cut and what it rests on, on made-up qualities of items."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.choose.below_best import clearly_below_best
from headstart.choose.cut import advised_cut


def right(*shares: float, n_items: int = 200, seed: int = 0) -> np.ndarray:
    """Whether items are right at each stage, by shares; the same items are easy at every stage."""
    ease = np.random.default_rng(seed).permutation(n_items) / n_items
    return np.stack([ease < share for share in shares], axis=1).astype(float)


@pytest.mark.parametrize(
    ("shares", "cut"),
    [
        ((0.3, 0.5, 0.9, 0.9, 0.9), 3),  # nothing is gained after the third stage
        ((0.3, 0.5, 0.9, 0.7, 0.5), 3),  # and it makes no difference whether it is lost again
        ((0.3, 0.5, 0.6, 0.7, 0.9), 4),  # the last stage is trained in any case
        ((0.9, 0.9, 0.9, 0.9, 0.9), 1),
        ((0.9, 0.5, 0.5, 0.5, 0.5), 1),
        ((0.5,), 0),
    ],
)
def test_stages_are_frozen_while_the_probe_improves(shares: tuple[float, ...], cut: int) -> None:
    assert advised_cut(right(*shares), step=1.0) == cut


def test_a_difference_by_chance_freezes_no_further_stage() -> None:
    shares = (0.5, 0.8, 0.82, 0.83)
    assert advised_cut(right(*shares, n_items=40), step=1.0) == 2
    assert advised_cut(right(*shares, n_items=4000), step=1.0) == 3


def test_items_of_a_group_count_once() -> None:
    once = right(0.5, 0.8, 0.9, n_items=20)
    often, groups = np.repeat(once, 50, axis=0), np.repeat(np.arange(20), 50)
    assert clearly_below_best(often, step=1.0).tolist() == [True, True, False]
    assert (
        clearly_below_best(often, groups, step=1.0).tolist()
        == clearly_below_best(once, step=1 / 50).tolist()
        == [True, False, False]
    )


def test_one_group_tells_nothing() -> None:
    quality = right(0.1, 0.9)
    assert not clearly_below_best(quality, np.zeros(len(quality))).any()


def test_equal_candidates_are_seldom_told_apart() -> None:
    rng = np.random.default_rng(0)
    found = [clearly_below_best(rng.random((100, 6)) < 0.7, step=1.0).any() for _ in range(200)]
    assert np.mean(found) < 0.2  # the best of six is compared, so more than 5%


def test_order_of_items_and_constant_shifts_change_nothing() -> None:
    quality = right(0.3, 0.6, 0.65, n_items=90)
    order = np.random.default_rng(1).permutation(90)
    found = clearly_below_best(quality, step=1.0).tolist()
    assert clearly_below_best(quality[order] + 3, step=1.0).tolist() == found
