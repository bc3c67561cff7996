"""Metrics of a quantity against scikit-learn and scipy, and their intervals against a plain bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn import metrics as known

from headstart.errors import DataError
from headstart.metrics import value_metrics


def test_metrics_of_a_quantity_are_scikit_learns_and_scipys() -> None:
    rng = np.random.default_rng(0)
    y = (1e5 + 30 * rng.normal(size=200)).round()
    p = y + 20 * rng.normal(size=200).round()
    found = {name: score.value for name, score in value_metrics(y, p).items()}
    assert found["rmse"] == pytest.approx(known.root_mean_squared_error(y, p))
    assert found["mae"] == pytest.approx(known.mean_absolute_error(y, p))
    assert found["r2"] == pytest.approx(known.r2_score(y, p))
    assert found["spearman"] == pytest.approx(spearmanr(y, p).statistic, abs=1e-6)
    assert list(found) == ["rmse", "mae", "r2", "spearman"]


def test_intervals_of_many_items_are_as_wide_as_a_plain_bootstrap_says() -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(size=800)
    p = y + rng.normal(size=800)
    units = np.arange(800) // 2
    found = value_metrics(y, p, units)
    drawn = [
        value_metrics(y[rows], p[rows])
        for chosen in rng.integers(0, 400, (150, 400))
        for rows in [np.concatenate([2 * chosen, 2 * chosen + 1])]
    ]
    for name, score in found.items():
        width = score.high - score.low
        assert width == pytest.approx(2 * 1.96 * np.std([float(f[name]) for f in drawn]), rel=0.2), name


def test_an_r2_below_zero_keeps_its_interval() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=60)
    found = value_metrics(y, 3 * rng.normal(size=60))["r2"]
    assert found.high < 0 and found.low < found.value < found.high


def test_values_without_spread_have_no_r2() -> None:
    found = value_metrics(np.full(9, 3.0), np.arange(9.0))
    assert found["r2"].value is None and found["spearman"].value is None and found["rmse"].value > 0


def test_values_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(DataError, match="finite"):
        value_metrics(np.array([1.0]), np.array([np.nan]))
    with pytest.raises(DataError, match="one value"):
        value_metrics(np.zeros((4, 2)), np.zeros((4, 2)))
