"""Thresholds: recall, precision and false alarms, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.metrics import Units
from headstart.metrics.operating import operating_points

POSITIVE = np.array([True, True, True, False, False, False, False, False, True, False])
SCORES = np.array([0.9, 0.6, 0.3, 0.6, 0.2, 0.1, 0.1, 0.4, 0.5, 0.05])


def test_counts_by_hand() -> None:
    half, high = operating_points(POSITIVE, SCORES, Units.of(None, 10), (0.5, 0.95))
    assert (half.n_called, half.recall.value, half.precision.value) == (4, 0.75, 0.75)
    assert half.false_alarms.value == pytest.approx(1 / 6)
    assert high.n_called == 0 and high.recall.value == 0 and high.precision.value is None


def test_few_groups_have_no_interval_and_copies_count_once() -> None:
    alone = operating_points(POSITIVE, SCORES, Units.of(None, 10), (0.5,))[0]
    twice = np.repeat(np.arange(10), 2)
    doubled = operating_points(POSITIVE[twice], SCORES[twice], Units.of(twice, 20), (0.5,))[0]
    assert doubled.recall.value == alone.recall.value and alone.recall.low is not None
    assert doubled.recall.low == pytest.approx(alone.recall.low, abs=0.02)
    grouped = operating_points(POSITIVE, SCORES, Units.of(np.arange(10) % 2, 10), (0.5,))[0]
    assert grouped.recall.low is None
