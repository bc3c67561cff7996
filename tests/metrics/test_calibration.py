"""The calibration error does not count what chance makes."""

from __future__ import annotations

import numpy as np

from headstart.metrics import Units
from headstart.metrics.calibration import calibration_error


def test_of_a_calibrated_model_it_is_near_zero_and_its_interval_begins_there() -> None:
    rng = np.random.default_rng(0)
    values, covered = [], []
    for _ in range(300):
        stated = 0.5 + rng.random(40) / 2
        found = calibration_error(stated, (rng.random(40) < stated).astype(float), Units.of(None, 40))
        values.append(found.value)
        covered.append(found.low == 0)
    assert np.mean(values) < 0.06 and np.mean(covered) > 0.95  # the plain error of 15 bins says 0.12


def test_a_constant_gap_is_found() -> None:
    rng = np.random.default_rng(1)
    stated = 0.7 + 0.3 * rng.random(4000)
    found = calibration_error(stated, (rng.random(4000) < stated - 0.2).astype(float), Units.of(None, 4000))
    assert abs(found.value - 0.2) < 0.02 and found.low < 0.2 < found.high and found.low > 0.15


def test_items_of_one_unit_widen_it() -> None:
    rng = np.random.default_rng(2)
    stated = np.repeat(0.5 + rng.random(40) / 2, 5)
    right = np.repeat(rng.random(40) < 0.6, 5).astype(float)
    copies = calibration_error(stated, right, Units.of(np.repeat(np.arange(40), 5), 200))
    alone = calibration_error(stated, right, Units.of(None, 200))
    assert copies.high - copies.low > alone.high - alone.low
