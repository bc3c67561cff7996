"""Metrics of labels and quantities against scikit-learn and scipy, and their resamples against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn import metrics as known

import headstart.evidence.average_precision as precision_module
from headstart.errors import DataError
from headstart.evidence import label_bins, label_metrics, label_rows, loss_difference, task_metrics, verdict
from headstart.evidence.average_precision import average_precision
from headstart.evidence.intervals import resample_counts
from headstart.evidence.regression import value_metrics
from headstart.heads.outputs import sigmoid


def labels(n_items: int = 120, n_labels: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n_items, n_labels)).round(1)  # with ties
    y = (scores + rng.normal(size=scores.shape) > np.linspace(0, 1.5, n_labels)).astype(np.float32)
    return y, sigmoid(scores - np.linspace(0, 1, n_labels)).astype(np.float64)


def test_metrics_of_labels_are_scikit_learns() -> None:
    y, p = labels()
    found = {name: score.value for name, score in label_metrics(y, p, n_resamples=50).items()}
    named = p >= 0.5
    assert found["macro_f1"] == pytest.approx(known.f1_score(y, named, average="macro"))
    assert found["micro_f1"] == pytest.approx(known.f1_score(y, named, average="micro"))
    assert found["mean_average_precision"] == pytest.approx(known.average_precision_score(y, p))
    assert found["auroc"] == pytest.approx(known.roc_auc_score(y, p))
    assert found["exact_match"] == pytest.approx(known.accuracy_score(y, named))
    each = [known.log_loss(y[:, c], p[:, c], labels=[0, 1]) for c in range(4)]
    assert found["log_loss"] == pytest.approx(np.mean(each))
    bins = label_bins(y, p)
    assert sum(b.n_items for b in bins) == y.size
    wanted = sum(b.n_items * abs(b.confidence - b.accuracy) for b in bins) / y.size
    assert found["ece"] == pytest.approx(wanted)


def test_rows_of_labels() -> None:
    y, p = labels()
    y[:, 3] = 0
    rows = label_rows(y, p, tuple("abcd"))
    precision, recall, f1, n_items = known.precision_recall_fscore_support(y, p >= 0.5, zero_division=0)
    for c in range(3):
        assert rows[c].f1 == pytest.approx(f1[c]) and rows[c].recall == pytest.approx(recall[c])
        assert rows[c].precision == pytest.approx(precision[c]) and rows[c].n_items == n_items[c]
        assert rows[c].average_precision == pytest.approx(known.average_precision_score(y[:, c], p[:, c]))
    assert rows[3].recall is None and rows[3].average_precision is None


@given(seed=st.integers(0, 1000), n_groups=st.integers(2, 12))
@settings(max_examples=15, deadline=None)
def test_resampled_precision_is_that_of_the_items_drawn(seed: int, n_groups: int) -> None:
    y, p = labels(30, 1, seed)
    has = y[:, 0] > 0.5
    if not has.any():
        return
    numbers = np.random.default_rng(seed).permutation(np.arange(30) % n_groups)
    _, drawn = average_precision([(has, p[:, 0])], numbers, n_groups, n_resamples=20, seed=3)
    counts = next(resample_counts(n_groups, 20, 3))
    for value, row in zip(drawn, counts):
        rows = np.repeat(np.arange(30), row[numbers].astype(int))
        if has[rows].any():
            assert value == pytest.approx(known.average_precision_score(has[rows], p[rows, 0]), abs=1e-6)
        else:
            assert np.isnan(value)


def test_first_order_intervals_of_precision_are_near_the_exact_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    y, p = labels(900, 3)
    exact = label_metrics(y, p, n_resamples=600)["mean_average_precision"]
    monkeypatch.setattr(precision_module, "EXACT_CELLS", 0)
    near = label_metrics(y, p, n_resamples=600)["mean_average_precision"]
    assert near.value == exact.value
    assert near.low == pytest.approx(exact.low, abs=0.006) and near.high == pytest.approx(
        exact.high, abs=0.006
    )


def test_a_label_that_nobody_has_does_no_harm() -> None:
    y, p = labels(40)
    y[:, 2], y[:, 1] = 0, 1
    found = label_metrics(y, p, n_resamples=30)
    assert all(score.value is not None for score in found.values())
    assert found["auroc"].value == pytest.approx(known.roc_auc_score(y[:, [0, 3]], p[:, [0, 3]]))
    nothing = label_metrics(0 * y, p, n_resamples=30)
    assert nothing["auroc"].value is None and nothing["mean_average_precision"].value is None


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


def test_two_classes_have_the_average_precision_of_the_rarer() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(80) < 0.2).astype(int)
    p = sigmoid(rng.normal(size=(80, 1)) + 2 * y[:, None] - 2)
    found = task_metrics("classification", y, np.concatenate([1 - p, p], axis=1), n_resamples=20)
    assert found["average_precision"].value == pytest.approx(known.average_precision_score(y, p[:, 0]))
    assert "average_precision" not in task_metrics(
        "classification", y, np.full((80, 3), 1 / 3), n_resamples=5
    )


def test_verdicts_of_labels_and_of_a_quantity() -> None:
    y, p = labels(200)
    plain = np.tile(y.mean(axis=0), (200, 1))
    told = verdict(y, p, {"majority": plain}, task="multilabel")
    assert told.outcome == "positive" and told.metric == "log_loss" and told.difference.high < 0
    assert verdict(y, plain, {"classical": p}, task="multilabel").outcome == "negative"
    values = np.linspace(0, 9, 90)[:, None]
    mean = np.full((90, 1), 4.5)
    told = verdict(values, values + 0.5, {"majority": mean}, task="regression")
    assert told.outcome == "positive" and told.metric == "rmse" and "rmse" in told.reason
    wanted = 0.5 - known.root_mean_squared_error(values, mean)
    assert told.difference.value == pytest.approx(wanted)
    assert loss_difference("regression", values, mean, mean).value == 0
    assert verdict(values, mean, {"majority": mean}, task="regression").outcome == "undecided"


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(DataError, match="one shape"):
        label_metrics(np.zeros((3, 2)), np.zeros((3, 3)))
    with pytest.raises(DataError, match="finite"):
        value_metrics(np.array([1.0]), np.array([np.nan]))
    with pytest.raises(DataError, match="one value"):
        value_metrics(np.zeros((4, 2)), np.zeros((4, 2)))
