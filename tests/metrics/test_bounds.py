"""Intervals satisfy the equations that define them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from headstart.metrics.bounds import correlation, mean, positive, share, share_difference, t_quantile

MANY = 1e9  # degrees of freedom at which t is normal


@pytest.mark.parametrize(
    "right, n_items, low, high",  # Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_the_published_one(right: int, n_items: int, low: float, high: float) -> None:
    found = share(right / n_items, n_items, MANY)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(better=st.integers(0, 30), worse=st.integers(0, 30), rest=st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_the_ends_of_tangos_interval_are_two_standard_errors_away_under_themselves(
    better: int, worse: int, rest: int
) -> None:
    n_items = better + worse + rest
    found = share_difference(better, worse, n_items, MANY)
    for end in (found.low, found.high):
        if 1 - abs(end) < 1e-6:
            continue

        def against(share_worse: float, end: float = end) -> float:
            """Minus the log likelihood of a share that only the second gets right, if the difference is `end`."""
            share_better, both = share_worse + end, 1 - 2 * share_worse - end
            parts = ((better, share_better), (worse, share_worse), (rest, both))
            return -sum(n * math.log(max(share, 1e-300)) for n, share in parts if n)

        inside = (max(0.0, -end), (1 - end) / 2)
        likeliest = minimize_scalar(against, bounds=inside, method="bounded", options={"xatol": 1e-12}).x
        variance = (2 * likeliest + end - end**2) / n_items
        assert abs(found.value - end) / math.sqrt(variance) == pytest.approx(norm.ppf(0.975), rel=2e-3)


@given(better=st.integers(0, 30), worse=st.integers(0, 30), rest=st.integers(1, 200))
@settings(max_examples=100, deadline=None)
def test_tangos_interval_contains_zero_where_mcnemars_test_does_not_reject(
    better: int, worse: int, rest: int
) -> None:
    found = share_difference(better, worse, better + worse + rest, MANY)
    z = abs(better - worse) / math.sqrt(max(1, better + worse))
    if abs(z - norm.ppf(0.975)) > 1e-3:
        assert (found.low <= 0 <= found.high) == (z < norm.ppf(0.975))
    assert -1 <= found.low <= found.value <= found.high <= 1
    other = share_difference(worse, better, better + worse + rest, MANY)
    assert other.low == pytest.approx(-found.high, abs=1e-6)


def test_few_degrees_of_freedom_widen() -> None:
    assert t_quantile(2) == pytest.approx(4.3027, abs=1e-4)
    for make in (mean, positive, correlation):
        wide, narrow = make(0.5, 0.1, 2), make(0.5, 0.1, MANY)
        assert wide.low < narrow.low < 0.5 < narrow.high < wide.high
