"""The bound of the largest of several differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from headstart.metrics.simultaneous import bound


def test_one_difference_has_the_t_quantile_and_independent_ones_that_of_their_number() -> None:
    noise = np.random.default_rng(0).normal(size=(2000, 20))
    assert bound(noise[:, :1], level=0.05) == pytest.approx(t.ppf(0.95, 1999))
    assert bound(noise, level=0.05) == pytest.approx(norm.ppf(0.95 ** (1 / 20)), abs=0.05)


def test_copies_of_one_candidate_count_as_one_and_those_equal_to_the_reference_not_at_all() -> None:
    noise = np.random.default_rng(0).normal(size=(300, 1))
    one = bound(noise, level=0.1)
    assert bound(np.repeat(noise, 8, axis=1), level=0.1) == pytest.approx(one, abs=0.03)
    assert bound(np.concatenate([noise, np.zeros((300, 5))], axis=1), level=0.1) == one


def test_few_units_need_more() -> None:
    noise = np.random.default_rng(0).normal(size=(60, 4))
    assert bound(noise, np.arange(60) // 20, level=0.1) > 1.5 * bound(noise, level=0.1)
    assert bound(noise, np.zeros(60), level=0.1) == float("inf")


@pytest.mark.parametrize("n_units", [None, 5])
def test_the_largest_of_seven_is_beyond_it_as_often_as_stated(n_units: int | None) -> None:
    rng = np.random.default_rng(1)
    n_items, beyond = 60, 0
    units = None if n_units is None else np.arange(n_items) % n_units
    for _ in range(400):
        own = rng.normal(size=(n_items, 7)) + rng.normal(size=(n_items, 1))
        if units is not None:
            own += rng.normal(size=(n_units, 7))[units]
        numbers = np.arange(n_items) if units is None else units
        sums = np.stack([np.bincount(numbers, weights=c - c.mean()) for c in own.T], axis=1)
        errors = np.sqrt(np.square(sums).sum(axis=0) * len(sums) / (len(sums) - 1)) / n_items
        beyond += (own.mean(axis=0) / errors).max() > bound(own, units, level=0.1)
    assert 0.05 < beyond / 400 < 0.15
