"""Total variation with its interval, missing classes, estimates that disagree, items with other class shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.adapt.label_shift import Shares
from headstart.adapt.shift.class_shares import compare_shares, positions_with_shares, share_distance


def shares(*values: float, half: float = 0.03) -> Shares:
    value = np.array(values)
    return Shares(value, np.maximum(value - half, 0), np.minimum(value + half, 1))


@given(st.integers(0, 10_000), st.integers(2, 6))
def test_the_interval_holds_every_possible_distance(seed: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    source, value = rng.dirichlet(np.ones(n_classes)), rng.dirichlet(np.ones(n_classes))
    box = Shares(value, np.maximum(value - 0.1, 0), np.minimum(value + 0.1, 1))
    found = share_distance(source, box)
    inside = value + 0.1 * rng.uniform(-1, 1, size=(200, n_classes))
    inside = inside / inside.sum(axis=1, keepdims=True)
    inside = inside[((inside >= box.low_C) & (inside <= box.high_C)).all(axis=1)]
    distances = 0.5 * np.abs(inside - source).sum(axis=1)
    assert found.low is not None and found.high is not None
    assert (distances >= found.low - 1e-12).all() and (distances <= found.high + 1e-12).all()


def test_strong_only_beyond_chance() -> None:
    source = np.array([0.5, 0.5])
    assert compare_shares(source, {"em": shares(0.8, 0.2)}, 100).is_strong
    assert not compare_shares(source, {"em": shares(0.8, 0.2, half=0.25)}, 100).is_strong
    assert not compare_shares(source, {"em": shares(0.55, 0.45)}, 100).is_strong


def test_missing_needs_a_share_and_items() -> None:
    source = np.array([0.3, 0.4, 0.3])
    gone = Shares(np.array([0.6, 0.4, 0.0]), np.array([0.5, 0.3, 0.0]), np.array([0.7, 0.5, 0.01]))
    assert compare_shares(source, {"em": gone}, 100).missing == (2,)
    assert compare_shares(source, {"em": gone}, 10).missing == ()


def test_estimates_that_disagree() -> None:
    source = np.array([0.5, 0.5])
    one = compare_shares(source, {"em": shares(0.8, 0.2)}, 100)
    far = compare_shares(source, {"em": shares(0.8, 0.2), "bbse": shares(0.6, 0.4)}, 100)
    near = compare_shares(source, {"em": shares(0.8, 0.2), "bbse": shares(0.75, 0.25)}, 100)
    assert not one.agree and not far.agree and near.agree
    assert far.to_json()["disagreement"] == pytest.approx(0.2)


def test_items_with_other_shares() -> None:
    codes = np.repeat([0, 1, 2], [60, 30, 30])
    found = positions_with_shares(codes, np.array([0.2, 0.8, 0.0]), np.random.default_rng(0))
    assert np.bincount(codes[found], minlength=3).tolist() == [7, 30, 0] and len(set(found)) == len(found)
    assert len(positions_with_shares(codes[:60], np.array([0.0, 1.0]), np.random.default_rng(0))) == 0
