"""Counts behind the metrics."""

from __future__ import annotations

import numpy as np
import sklearn.metrics as sk

from headstart.metrics import Bin, calibration_bins, confusion_matrix, label_bins


def width(found: Bin) -> float:
    return (found.right.high or 0) - (found.right.low or 0)


def test_tables_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 3, 200), rng.dirichlet([1, 1, 1], 200)
    assert (confusion_matrix(y, p.argmax(1), p.shape[1]) == sk.confusion_matrix(y, p.argmax(1))).all()
    bins = calibration_bins(y, p)
    assert len(bins) == 15 and sum(b.n_items for b in bins) == 200
    seen = [b for b in bins if b.n_items]
    assert all(0 <= b.right.low <= b.accuracy <= b.right.high <= 1 for b in seen if b.right.low is not None)
    widths = [width(b) for b in sorted(seen, key=lambda b: b.n_items) if b.right.low is not None]
    assert widths[0] > widths[-1]  # few items say little


def test_bins_count_units() -> None:
    """Twenty pictures five times each say as much as twenty; two patients say nothing about a third."""
    p = np.tile([0.99, 0.01], (100, 1))
    y = np.repeat((np.arange(20) < 3).astype(np.int64), 5)
    alone, copies, patients = (
        next(b for b in calibration_bins(y, p, units) if b.n_items)
        for units in (None, np.arange(100) // 5, np.arange(100) % 2)
    )
    once = next(b for b in calibration_bins(y[::5], p[::5]) if b.n_items)
    assert alone.accuracy == copies.accuracy == once.accuracy == 0.85
    assert width(copies) > 1.9 * width(alone) and abs(width(copies) - width(once)) < 0.02
    assert (
        patients.right.low is None
        and patients.right.why == "2 independent units, 3 are needed for an interval"
    )


def test_the_labels_of_an_item_belong_together() -> None:
    y = np.repeat((np.arange(40) < 30).astype(np.int64)[:, None], 5, axis=1)  # all labels of an item, or none
    found = next(b for b in label_bins(y, np.full((40, 5), 0.75)) if b.n_items)
    items = next(b for b in label_bins(y[:, :1], np.full((40, 1), 0.75)) if b.n_items)
    assert found.n_items == 200 and abs(width(found) - width(items)) < 0.02
