"""The proxy A-distance: 0 for one domain, 2 for two that do not overlap, groups counted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from headstart.adapt.shift.a_distance import a_distance


def test_known_overlap() -> None:
    """Two Gaussians whose means are d apart: the best error is that of a threshold in the middle."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 3)), rng.normal(size=(400, 3)) + np.array([1.5, 0, 0])
    truth = 2 * (1 - 2 * norm.cdf(-0.75))
    found = a_distance(x, y)
    assert found.low is not None and found.high is not None
    assert found.low < truth < found.high and found.value == pytest.approx(truth, abs=0.15)


def test_no_shift_and_no_overlap() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(60, 100)), rng.normal(size=(80, 100))
    same = a_distance(x, y)
    assert same.low == 0 and (same.value or 0) < 0.6
    assert a_distance(x, y + 5).value == 2.0


def test_shares_of_the_domains_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    assert (a_distance(rng.normal(size=(300, 2)), rng.normal(size=(30, 2))).low or 0) == 0


def test_groups_are_kept_together() -> None:
    """Ten speakers are told apart by their voices, not by the domain that each happens to be in."""
    rng = np.random.default_rng(3)
    speaker = np.repeat(np.arange(10), 20)
    x = 3 * rng.normal(size=(10, 30))[speaker] + rng.normal(size=(200, 30))
    names = np.array([f"s{number}" for number in speaker], dtype=object)
    assert (a_distance(x[:100], x[100:]).low or 0) > 1.5
    assert a_distance(x[:100], x[100:], groups_N=names[:100], groups_M=names[100:]).low == 0


def test_too_little_data() -> None:
    x = np.random.default_rng(4).normal(size=(30, 2))
    assert "items" in a_distance(x, x[:5]).why
    one = np.array(["a"] * 30, dtype=object)
    assert a_distance(x, x + 1, groups_N=one, groups_M=one).value is None
