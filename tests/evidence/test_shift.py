"""Whether the held-out part is harder than the training part."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from headstart.evidence import Mean, mean_quality, shifted
from headstart.metrics.spread import LEAST_UNITS, standard_error
from headstart.tasks import CLASSIFICATION, REGRESSION


def mean_of(values: np.ndarray) -> Mean:
    return Mean(float(values.mean()), standard_error(values), len(values) - 1)


def test_it_is_the_test_of_welch() -> None:
    rng = np.random.default_rng(0)
    inside, outside = rng.normal(size=40), rng.normal(0.3, 2, size=12)
    wanted = ttest_ind(outside, inside, equal_var=False).confidence_interval(0.95)
    found = shifted(mean_of(inside), mean_of(outside)).difference
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))


def test_two_units_that_agree_say_nothing() -> None:
    """Two patients, each half right, against 90% inside: their agreement is no evidence."""
    inside = Mean(0.9, 0.02, 19)
    two, three = Mean(0.5, 0.0, 1), Mean(0.5, 0.02, LEAST_UNITS - 1)
    assert shifted(inside, two).difference.low is None and not shifted(inside, two).is_clear
    assert shifted(inside, three).is_clear


def test_a_quantity_that_is_read_worse_than_by_its_mean_is_not_a_shift() -> None:
    """R2 is below zero on both sides; cut at zero, the training part looked better than it is."""
    found = shifted(Mean(-0.2, 0.1, 39), Mean(-0.25, 0.15, 19))
    assert found.inside == -0.2 and not found.is_clear


def test_an_easier_part_is_no_warning() -> None:
    assert not shifted(Mean(0.6, 0.01, 99), Mean(0.9, 0.01, 99)).is_clear
    assert shifted(Mean(0.9, 0.01, 99), Mean(0.6, 0.01, 99)).is_clear


def test_quality_counts_units() -> None:
    truth, answers = np.zeros(40, int), np.repeat([[0.9, 0.1], [0.1, 0.9]], 20, axis=0)
    items = mean_quality(CLASSIFICATION, answers, truth)
    units = mean_quality(CLASSIFICATION, answers, truth, np.repeat(np.arange(4), 10))
    assert items.value == units.value == 0.5 and units.freedom == pytest.approx(3)
    assert units.standard_error > 3 * items.standard_error


def test_the_error_of_r2_knows_that_the_spread_of_the_targets_varies() -> None:
    """Of a constant answer R2 is zero whatever the targets are: nothing varies."""
    targets = np.random.default_rng(0).normal(size=(30, 1))
    found = mean_quality(REGRESSION, np.full((30, 1), targets.mean()), targets)
    assert found.value == pytest.approx(0, abs=1e-9) and found.standard_error == pytest.approx(0, abs=1e-9)
