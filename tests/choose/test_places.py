"""Places of sources: right when the truth is known, with one error rate over all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.choose.places import LEVEL, place


def _right(rng: np.random.Generator, shares: list[float], n_items: int) -> np.ndarray:
    return (rng.random((n_items, len(shares))) < np.array(shares)).astype(float)


def test_clear_differences_give_single_places() -> None:
    found = place(_right(np.random.default_rng(0), [0.5, 0.95, 0.75], 400), step=1.0)
    assert found.order.tolist() == [1, 2, 0]
    assert found.first.tolist() == found.last.tolist() == [3, 1, 2]


def test_equal_sources_share_their_places() -> None:
    same = np.repeat(_right(np.random.default_rng(1), [0.8], 100), 4, axis=1)
    found = place(same, step=1.0)
    assert found.first.tolist() == [1] * 4 and found.last.tolist() == [4] * 4 and not found.better.any()
    assert found.order.tolist() == [0, 1, 2, 3]  # of equal means the earlier first


def test_few_units_tell_nothing_apart() -> None:
    quality = np.array([[1.0, 0.0]] * 40)
    groups = np.repeat(np.arange(4), 10)
    assert not place(quality, groups, step=1.0).better.any()
    assert place(quality, np.repeat(np.arange(10), 4), step=1.0).better[0, 1]


def test_false_statements_about_any_pair_stay_at_the_level() -> None:
    rng = np.random.default_rng(2)
    n_false = sum(place(_right(rng, [0.8] * 6, 60), step=1.0).better.any() for _ in range(120))
    assert n_false / 120 < LEVEL + 0.05


def test_the_first_of_equals_is_worth_no_more_than_the_others() -> None:
    rng = np.random.default_rng(3)
    gains = []
    for _ in range(60):
        quality = _right(rng, [0.7] * 12, 50)
        found = place(quality)
        gains.append((quality.mean(axis=0).max() - 0.7, found.expected[found.order[0]] - 0.7))
    apparent, corrected = np.mean(gains, axis=0)
    assert apparent > 0.08 and abs(corrected) < 0.3 * apparent


@given(st.integers(0, 1_000), st.integers(2, 5), st.integers(6, 30))
def test_places_do_not_depend_on_the_order_of_the_items(seed: int, n_sources: int, n_items: int) -> None:
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=(n_items, n_sources))
    shuffled = quality[rng.permutation(n_items)]
    one, other = place(quality), place(shuffled)
    assert (one.order == other.order).all()
    assert one.difference == pytest.approx(-one.difference.T)
    assert (one.first <= one.last).all() and (one.first >= 1).all() and (one.last <= n_sources).all()
