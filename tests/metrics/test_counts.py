"""Counts behind the metrics."""

from __future__ import annotations

import numpy as np
import sklearn.metrics as sk

from headstart.metrics import calibration_bins, confusion_matrix


def test_tables_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 3, 200), rng.dirichlet([1, 1, 1], 200)
    assert (confusion_matrix(y, p) == sk.confusion_matrix(y, p.argmax(1))).all()
    bins = calibration_bins(y, p)
    assert len(bins) == 15 and sum(b.n_items for b in bins) == 200
    seen = [b for b in bins if b.n_items]
    assert all(0 <= b.right_low <= b.accuracy <= b.right_high <= 1 for b in seen)
    widths = [b.right_high - b.right_low for b in sorted(seen, key=lambda b: b.n_items)]
    assert widths[0] > widths[-1]  # few items say little
