"""Density ratios, the weighted mean, and DEV: what they estimate where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies

from headstart.adapt import Domains, Method
from headstart.adapt.selectors import SELECTORS, Comparison
from headstart.adapt.selectors.density import MOST, density_ratio, leading
from headstart.adapt.selectors.dev import risks
from headstart.adapt.selectors.importance import weighted_items


def folds(n_items: int) -> np.ndarray:
    return np.random.default_rng(9).permutation(n_items) % 2


def test_the_ratio_of_two_normal_densities() -> None:
    """N(1, 1) over N(0, 1) is exp(x - 1/2), whose logarithm is linear."""
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(2000, 1)), 1 + rng.normal(size=(1000, 1))
    found = density_ratio(source, target, folds(2000), folds(1000))
    truth = np.clip(np.exp(source[:, 0] - 0.5), 1 / MOST, MOST)
    assert np.corrcoef(np.log(found), np.log(truth))[0, 1] > 0.99
    assert np.abs(np.log(found / truth)).mean() < 0.15
    assert found.mean() == pytest.approx(1, abs=0.1)


def test_equal_domains_weigh_about_one() -> None:
    rng = np.random.default_rng(0)
    ratios = np.concatenate(
        [
            density_ratio(rng.normal(size=(100, 30)), rng.normal(size=(60, 30)), folds(100), folds(60))
            for _ in range(9)
        ]
    )
    assert 0.9 < np.median(ratios) < 1.1 and np.quantile(np.abs(np.log(ratios)), 0.9) < 0.5


def test_domains_apart_are_clipped() -> None:
    rng = np.random.default_rng(0)
    found = density_ratio(rng.normal(size=(200, 3)), 30 + rng.normal(size=(200, 3)), folds(200), folds(200))
    assert found.max() < 1 and found.min() >= 1 / MOST - 1e-12


def test_leading_components_keep_the_distances_of_a_low_rank() -> None:
    rng = np.random.default_rng(0)
    both = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 200))
    source, target = leading(both[:100], both[100:], 10)
    scaled = both / both.std(axis=0)
    np.testing.assert_allclose(
        np.linalg.norm(source[:50] - target[:50], axis=1),
        np.linalg.norm(scaled[:50] - scaled[100:150], axis=1),
        rtol=1e-3,
    )


@given(strategies.integers(0, 10_000), strategies.integers(2, 50))
def test_items_have_the_mean_and_the_spread_of_a_ratio(seed: int, n_items: int) -> None:
    rng = np.random.default_rng(seed)
    values, weights = rng.integers(0, 2, n_items), rng.exponential(size=n_items)
    items = weighted_items(values, weights)
    assert items.mean() == pytest.approx(np.average(values, weights=weights))
    drop = [np.average(np.delete(values, i), weights=np.delete(weights, i)) for i in range(min(n_items, 3))]
    left = 1 - weights / weights.sum()
    by_influence = items.mean() - (items - items.mean()) / n_items / left
    np.testing.assert_allclose(by_influence[: len(drop)], drop, atol=1e-9)  # the jackknife, exactly


def test_validation_on_a_covariate_shift_finds_the_accuracy_on_the_target() -> None:
    """The label is random for small x and certain for large x, which the target has more of."""
    rng = np.random.default_rng(1)
    source = rng.normal(size=(4000, 1))
    target = 1 + rng.normal(size=(4000, 1))

    def labels(x: np.ndarray) -> np.ndarray:
        noise = np.where(x[:, 0] < 0, rng.random(len(x)) < 0.4, False)
        return ((np.sin(3 * x[:, 0]) > 0) ^ noise).astype(np.int64)

    def features(x: np.ndarray) -> np.ndarray:
        return np.concatenate([x, np.sin(3 * x)], axis=1)

    codes, truth = labels(source), labels(target)
    comparison = Comparison(Domains(features(source), codes, features(target), 2))
    candidate = comparison.candidate(Method())
    right = (candidate.predicted_M == truth).mean()
    plain = (candidate.held_out.predicted_N == codes).mean()
    for name in ("importance", "dev"):
        assert abs(SELECTORS[name].score(candidate) - right) < 0.25 * abs(plain - right)


def test_the_control_variate_lowers_the_variance_and_keeps_the_mean() -> None:
    rng = np.random.default_rng(0)
    plain, controlled = [], []
    for _ in range(400):
        x = rng.normal(size=200)
        weights, losses = np.exp(x - 0.5), (x + rng.normal(size=200) > 0).astype(float)
        plain.append((weights * losses).mean())
        controlled.append(risks(losses, weights).mean())
    truth = 0.7602  # P(x + e > 0) for x from N(1, 1)
    assert np.mean(plain) == pytest.approx(truth, abs=0.02)
    assert np.mean(controlled) == pytest.approx(truth, abs=0.02)
    assert np.std(controlled) < 0.6 * np.std(plain)


def test_equal_weights_give_the_mean_loss() -> None:
    losses = np.array([1.0, 0.0, 0.0, 1.0, 1.0])
    assert risks(losses, np.ones(5)).mean() == pytest.approx(0.6)
