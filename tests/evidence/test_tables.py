"""Counts behind the metrics."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as sk

from headstart.evidence import calibration_bins, class_table, confusion_matrix, metrics


def test_tables_agree_with_scikit_learn_and_with_the_ece() -> None:
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 3, 200), rng.dirichlet([1, 1, 1], 200)
    assert (confusion_matrix(y, p) == sk.confusion_matrix(y, p.argmax(1))).all()
    wanted = sk.precision_recall_fscore_support(y, p.argmax(1))
    for index, row in enumerate(class_table(y, p, ("a", "b", "c"))):
        assert (row.precision, row.recall, row.f1, row.n_items) == pytest.approx([w[index] for w in wanted])
    bins = calibration_bins(y, p)
    assert len(bins) == 15 and sum(b.n_items for b in bins) == 200
    gap = sum(b.n_items * abs(b.confidence - b.accuracy) for b in bins) / 200
    assert gap == pytest.approx(metrics(y, p, n_resamples=2)["ece"].value)


def test_a_class_never_seen_or_predicted_has_no_ratio() -> None:
    row = class_table(np.array([0, 0]), np.array([[1.0, 0.0], [1.0, 0.0]]), ("a", "b"))[1]
    assert (row.precision, row.recall, row.f1) == (None, None, None)
