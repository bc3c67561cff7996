"""Variances over units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from headstart.metrics import Units, standard_error
from headstart.metrics.spread import freedom, share_error, weighted_share_error


def test_the_standard_error_of_items_and_of_units() -> None:
    x = np.random.default_rng(0).normal(size=400)
    assert standard_error(x) == pytest.approx(x.std(ddof=1) / 20)
    groups = np.repeat(np.arange(100), 4).astype(str).astype(object)
    assert standard_error(np.repeat(x[:100], 4), groups) == pytest.approx(x[:100].std(ddof=1) / 10)
    assert np.isnan(standard_error(x, np.array(["g"] * 400, dtype=object)))


@given(seed=st.integers(0, 999), n_units=st.integers(3, 9))
@settings(max_examples=20, deadline=None)
def test_the_variance_is_that_of_leaving_out_one_unit_after_the_other(seed: int, n_units: int) -> None:
    rng = np.random.default_rng(seed)
    units = np.concatenate([np.arange(n_units), rng.integers(0, n_units, 30)])
    x = rng.normal(size=len(units)) + units
    without = np.array([x[units != unit].mean() for unit in range(n_units)])
    naive = (n_units - 1) / n_units * np.square(without - x.mean()).sum()
    assert standard_error(x, units) ** 2 == pytest.approx(naive)


def test_degrees_of_freedom() -> None:
    assert freedom(None, 40) == pytest.approx(39)
    assert freedom(np.arange(40) // 8, 40) == pytest.approx(4)
    assert freedom(np.array(["a"] * 7), 7) == 0
    lopsided = np.array([0] * 96 + [1, 2, 3, 4])
    assert freedom(lopsided, 100) < 0.1  # one unit decides


def test_the_design_effect() -> None:
    x = np.random.default_rng(1).normal(size=100)
    x -= x.mean()
    assert Units.of(None, 100).design_effect(x) == 1
    copies = Units.of(np.repeat(np.arange(100), 4), 400)
    assert copies.design_effect(np.repeat(x, 4)) == pytest.approx(4, rel=0.02)
    assert Units.of(np.arange(40) // 10, 40).design_effect(np.zeros(40)) == pytest.approx(10)
    assert "holds most" in Units.of(np.array([0] * 96 + [1, 2, 3, 4]), 100).too_few
    assert "2 independent units" in Units.of(np.arange(40) // 20, 40).too_few


def test_a_weighted_share_knows_that_weights_are_no_items() -> None:
    rng = np.random.default_rng(0)
    right, weights = (rng.random(400) < 0.8).astype(float), rng.choice([1.0, 9.0], 400)
    assert weighted_share_error(right, np.full(400, 3.0)) == pytest.approx(share_error(right))
    drawn = rng.integers(0, 400, (2_000, 400))
    shares = (right * weights)[drawn].sum(axis=1) / weights[drawn].sum(axis=1)
    assert weighted_share_error(right, weights) == pytest.approx(shares.std(), rel=0.1)
    assert weighted_share_error(np.ones(400), weights) > 0, "all right is not certain"


def test_weighted_units_count_by_what_they_weigh() -> None:
    """Coverage of a weighted share (0.7936) where a few units weigh most; equal weights give what items give."""
    rng, held, n_draws = np.random.default_rng(0), 0, 400
    units, weights = np.repeat(np.arange(20), 10), np.ones(200)
    weights[:40] = 10.0
    for _ in range(n_draws):
        right = (rng.random(200) < np.clip(0.8 + 0.15 * rng.normal(size=20), 0, 1)[units]).astype(float)
        share, error = np.average(right, weights=weights), weighted_share_error(right, weights, units)
        held += abs(share - 0.7936) <= student.ppf(0.975, freedom(units, 200, weights)) * error
    assert held / n_draws >= 0.92, "by items it is 0.86"
    right = (rng.random(200) < 0.8).astype(float)
    equal = weighted_share_error(right, np.full(200, 3.0), units)
    assert equal == pytest.approx(share_error(right, units), rel=1e-6)
    assert freedom(units, 200, np.full(200, 3.0)) == pytest.approx(freedom(units, 200))
