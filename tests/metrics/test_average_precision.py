"""Average precision under resampling against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as known

from headstart.metrics.average_precision import average_precision
from headstart.metrics.bootstrap import resample_counts

from .labelled import labels


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
