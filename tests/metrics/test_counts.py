"""Counts behind the metrics."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as sk

from headstart.metrics import calibration_bins, class_metrics, confusion_matrix


def test_tables_agree_with_scikit_learn_and_with_the_ece() -> None:
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 3, 200), rng.dirichlet([1, 1, 1], 200)
    assert (confusion_matrix(y, p) == sk.confusion_matrix(y, p.argmax(1))).all()
    bins = calibration_bins(y, p)
    assert len(bins) == 15 and sum(b.n_items for b in bins) == 200
    gap = sum(b.n_items * abs(b.confidence - b.accuracy) for b in bins) / 200
    assert gap == pytest.approx(class_metrics(y, p, n_resamples=2)["ece"].value)
