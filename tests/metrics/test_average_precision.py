"""Average precision against scikit-learn, and its influences against differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as known

from headstart.metrics import Units
from headstart.metrics.average_precision import _precision, average_precision

from .labelled import labels


@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_influences_are_the_derivatives_in_the_weight_of_an_item(seed: int) -> None:
    y, p = labels(30, 1, seed)
    has = y[:, 0] > 0.5
    if not has.any():
        return
    value, influence = _precision(has, p[:, 0])
    assert value == pytest.approx(known.average_precision_score(has, p[:, 0]))
    assert influence.sum() == pytest.approx(0, abs=1e-9)
    step = 1e-5
    for item in range(30):
        weight = np.ones(30)
        weight[item] += step
        moved = known.average_precision_score(has, p[:, 0], sample_weight=weight)
        assert (moved - value) / step == pytest.approx(influence[item], abs=1e-3)


def test_nothing_to_rank() -> None:
    assert average_precision([], Units.of(None, 5)).value is None
