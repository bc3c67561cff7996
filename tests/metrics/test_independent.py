"""The difference of two scores on different items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.metrics import Interval
from headstart.metrics.bounds import share
from headstart.metrics.independent import independent_difference

shares = st.floats(0, 1)
counts = st.integers(3, 1_000)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_shares_give_the_intervals_of_newcombe_1998(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """Table II, method 10: 56 of 70 and 48 of 80, 9 of 10 and 3 of 10, 10 of 10 and 0 of 20."""
    found = independent_difference(*(share(k / n, n, 1e9) for k, n in (first, second)))
    assert found.low is not None and found.high is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(shares, counts, shares, counts)
def test_it_turns_its_sign_with_the_order(a: float, n: int, b: float, m: int) -> None:
    first, second = share(a, n, n - 1.0), share(b, m, m - 1.0)
    one, other = independent_difference(first, second), independent_difference(second, first)
    assert one.value is not None and one.low is not None and one.high is not None
    assert other.low is not None and other.high is not None
    np.testing.assert_allclose([one.low, one.high], [-other.high, -other.low], atol=1e-12)
    assert one.low <= one.value <= one.high


def test_without_an_interval_the_reason_is_kept() -> None:
    known, unknown = Interval(0.8, 0.7, 0.9), Interval(0.5, why="2 groups, 3 are needed")
    assert independent_difference(known, unknown) == Interval(pytest.approx(0.3), why=unknown.why)
    assert independent_difference(known, Interval(None)).value is None
