"""Metrics of labels against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as known

import headstart.metrics.average_precision as precision_module
from headstart.errors import DataError
from headstart.metrics import label_bins, label_metrics, label_rows

from .labelled import labels


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


def test_labels_of_another_shape_are_refused() -> None:
    with pytest.raises(DataError, match="one shape"):
        label_metrics(np.zeros((3, 2)), np.zeros((3, 3)))
