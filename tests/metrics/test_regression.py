"""Metrics of a quantity against scikit-learn and scipy, and their resamples against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn import metrics as known

from headstart.errors import DataError
from headstart.metrics import value_metrics
from headstart.metrics.bootstrap import resample_counts


def test_metrics_of_a_quantity_are_scikit_learns_and_scipys() -> None:
    rng = np.random.default_rng(0)
    y = (1e5 + 30 * rng.normal(size=200)).round()
    p = y + 20 * rng.normal(size=200).round()
    found = {name: score.value for name, score in value_metrics(y, p, n_resamples=50).items()}
    assert found["rmse"] == pytest.approx(known.root_mean_squared_error(y, p))
    assert found["mae"] == pytest.approx(known.mean_absolute_error(y, p))
    assert found["r2"] == pytest.approx(known.r2_score(y, p))
    assert found["spearman"] == pytest.approx(spearmanr(y, p).statistic, abs=1e-6)
    assert list(found) == ["rmse", "mae", "r2", "spearman"]


def test_resamples_of_a_quantity_are_those_of_the_items_drawn() -> None:
    rng = np.random.default_rng(2)
    y, groups = (
        rng.integers(0, 6, 40).astype(float),
        np.array([f"g{i % 11}" for i in range(40)], dtype=object),
    )
    p = y + rng.normal(size=40)
    found = value_metrics(y, p, groups, n_resamples=300)
    numbers = np.unique(groups, return_inverse=True)[1]
    drawn = []
    for row in np.concatenate(list(resample_counts(11, 300, 0))):
        rows = np.repeat(np.arange(40), row[numbers].astype(int))
        drawn.append((spearmanr(y[rows], p[rows]).statistic, known.r2_score(y[rows], p[rows])))
    wanted = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    assert [found["spearman"].low, found["spearman"].high] == pytest.approx(list(wanted[:, 0]), abs=1e-5)
    assert [found["r2"].low, found["r2"].high] == pytest.approx(list(wanted[:, 1]), abs=1e-5)


def test_values_without_spread_have_no_r2() -> None:
    found = value_metrics(np.full(9, 3.0), np.arange(9.0), n_resamples=20)
    assert found["r2"].value is None and found["spearman"].value is None and found["rmse"].value > 0


def test_values_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(DataError, match="finite"):
        value_metrics(np.array([1.0]), np.array([np.nan]))
    with pytest.raises(DataError, match="one value"):
        value_metrics(np.zeros((4, 2)), np.zeros((4, 2)))
