"""Scores and differences over seeds and items, where the truth is known."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from headstart.evidence.over_seeds import gain, holm, inverted, score, spread
from headstart.metrics import Units
from headstart.metrics.differences import share_gain

rng = np.random.default_rng(0)


def test_one_seed_is_the_interval_of_the_items() -> None:
    right, other = rng.random(200) < 0.9, rng.random(200) < 0.8
    units = Units.of(None, 200)
    found = gain(right[None].astype(float), other[None].astype(float), units, "accuracy").interval
    known = share_gain(right.astype(float) - other, units)
    assert found.low == pytest.approx(known.low, abs=2e-3) and found.high == pytest.approx(
        known.high, abs=2e-3
    )


def test_the_variances_are_those_of_a_crossed_design() -> None:
    n_seeds, n_items, of_items, of_seeds, own = 6, 300, 1.0, 0.2, 0.5
    parts = []
    means = []
    for _ in range(400):
        values = (
            of_items * rng.normal(size=(1, n_items))
            + of_seeds * rng.normal(size=(n_seeds, 1))
            + own * rng.normal(size=(n_seeds, n_items))
        )
        means.append(values.mean())
        found = spread(values, Units.of(None, n_items))
        parts.append((found.of_items, found.of_seeds))
    items, seeds = np.mean(parts, axis=0)
    assert items == pytest.approx((of_items**2 + own**2 / n_seeds) / n_items, rel=0.05)
    assert seeds == pytest.approx(of_seeds**2 / n_seeds, rel=0.2)
    assert items + seeds == pytest.approx(np.var(means), rel=0.2)


@pytest.mark.parametrize("n_groups", [None, 12])
def test_no_difference_is_found_in_about_one_case_of_twenty(n_groups: int | None) -> None:
    found = []
    for _ in range(300):
        item = (
            rng.normal(size=120)
            if n_groups is None
            else np.repeat(rng.normal(size=n_groups), 120 // n_groups)
        )
        right = [
            rng.random((5, 120)) < 1 / (1 + np.exp(-1 - item - 0.3 * rng.normal(size=(5, 1)))) for _ in "ab"
        ]
        units = Units.of(None if n_groups is None else np.repeat(np.arange(n_groups), 120 // n_groups), 120)
        found.append(gain(right[0].astype(float), right[1].astype(float), units, "accuracy"))
    assert np.mean([each.p < 0.05 for each in found]) <= 0.09  # 5% and its own chance
    # The interval and the p value say the same.
    for each in found:
        assert each.interval.low is not None and each.interval.high is not None
        outside = each.interval.low > 0 or each.interval.high < 0
        assert outside == (each.p < 0.05) or abs(each.p - 0.05) < 0.02


def test_equal_results_have_no_gain_and_few_items_no_interval() -> None:
    right = (rng.random((3, 40)) < 0.7).astype(float)
    same = gain(right, right, Units.of(None, 40), "accuracy")
    assert same.interval.value == 0 and same.p == 1 and not same.better
    few = gain(right, 1 - right, Units.of(None, 40), "accuracy", least_items=50)
    assert few.interval.low is None and "50 are needed" in few.interval.why
    groups = gain(right, 1 - right, Units.of(np.repeat([0, 1], 20), 40), "accuracy")
    assert groups.interval.low is None and groups.p == 1


@pytest.mark.parametrize("kind", ["log_loss", "rmse"])
def test_a_smaller_loss_is_better(kind: str) -> None:
    loss = rng.gamma(2.0, 1.0, (4, 80))
    found = gain(0.5 * loss, loss, Units.of(None, 80), kind)
    assert found.better and found.p < 1e-3 and (found.interval.high or 0) < 0
    shown = score(loss, Units.of(None, 80), kind)
    value = loss.mean() if kind == "log_loss" else loss.mean() ** 0.5
    assert shown.value == pytest.approx(value)
    assert shown.low is not None and shown.high is not None and shown.low < value < shown.high


def test_every_item_right_still_has_a_lower_end() -> None:
    found = score(np.ones((5, 40)), Units.of(None, 40), "accuracy")
    assert found.high == 1 and found.low is not None and 0.85 < found.low < 0.95


def test_holm_is_between_no_correction_and_bonferroni() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.5])
    np.testing.assert_allclose(holm(p), [0.04, 0.09, 0.09, 0.5])
    assert (false_discovery_control(p) <= holm(p) + 1e-12).all()


def test_the_place_where_two_curves_meet_is_inside_its_interval() -> None:
    slope, hits = 0.1, 0
    for _ in range(100):
        noise = 0.3 * rng.normal(size=(5, 60)) + 0.05 * rng.normal(size=(5, 1))
        meeting = partial(_line, slope, noise)
        found = inverted(meeting, np.linspace(0, 10, 101), Units.of(None, 60))
        assert found is not None and len(found)
        hits += found[0] <= 3.0 <= found[-1]
    assert hits >= 90


def _line(slope: float, noise: np.ndarray, x: float) -> np.ndarray:
    return np.asarray(slope * (x - 3.0) + noise)


def test_a_difference_that_is_clear_everywhere_meets_nowhere() -> None:
    noise = 0.1 * rng.normal(size=(5, 60))
    found = inverted(partial(_line, 0.0, 5 + noise), np.linspace(0, 10, 11), Units.of(None, 60))
    assert found is not None and len(found) == 0
    assert (
        inverted(partial(_line, 0.0, noise), np.linspace(0, 1, 3), Units.of(np.repeat([0, 1], 30), 60))
        is None
    )
