"""Metrics of labels against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as known

from headstart.errors import DataError
from headstart.metrics import label_bins, label_metrics, label_rows

from .labelled import labels


def test_metrics_of_labels_are_scikit_learns() -> None:
    y, p = labels()
    found = {name: score.value for name, score in label_metrics(y, p).items()}
    named = p >= 0.5
    assert found["macro_f1"] == pytest.approx(known.f1_score(y, named, average="macro"))
    assert found["micro_f1"] == pytest.approx(known.f1_score(y, named, average="micro"))
    assert found["mean_average_precision"] == pytest.approx(known.average_precision_score(y, p))
    assert found["auroc"] == pytest.approx(known.roc_auc_score(y, p))
    assert found["exact_match"] == pytest.approx(known.accuracy_score(y, named))
    each = [known.log_loss(y[:, c], p[:, c], labels=[0, 1]) for c in range(4)]
    assert found["log_loss"] == pytest.approx(np.mean(each))
    assert sum(b.n_items for b in label_bins(y, p)) == y.size


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


def test_intervals_of_many_items_are_as_wide_as_a_plain_bootstrap_says() -> None:
    y, p = labels(900, 3)
    rng = np.random.default_rng(0)
    drawn = [label_metrics(y[rows], p[rows]) for rows in rng.integers(0, 900, (150, 900))]
    found = label_metrics(y, p)
    for name in ("mean_average_precision", "macro_f1", "micro_f1", "auroc", "exact_match", "log_loss"):
        width = found[name].high - found[name].low
        assert width == pytest.approx(2 * 1.96 * np.std([float(f[name]) for f in drawn]), rel=0.35), name


def test_a_label_that_nobody_has_does_no_harm() -> None:
    y, p = labels(40)
    y[:, 2], y[:, 1] = 0, 1
    found = label_metrics(y, p)
    assert all(score.value is not None for score in found.values())
    assert found["auroc"].value == pytest.approx(known.roc_auc_score(y[:, [0, 3]], p[:, [0, 3]]))
    nothing = label_metrics(0 * y, p)
    assert nothing["auroc"].value is None and nothing["mean_average_precision"].value is None


def test_labels_of_another_shape_are_refused() -> None:
    with pytest.raises(DataError, match="one shape"):
        label_metrics(np.zeros((3, 2)), np.zeros((3, 3)))
