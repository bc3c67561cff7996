"""The bound of the largest of several differences, by flipping signs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from headstart.tune.race.sign_flips import chance_bound, least_units


def ratio(differences: np.ndarray) -> float:
    """Mean over standard error, as the rule of the race has it."""
    return float(differences.mean() / (differences.std(ddof=1) / np.sqrt(len(differences))))


def test_the_bound_is_the_quantile_over_all_patterns_of_signs() -> None:
    differences = np.random.default_rng(0).normal(size=(8, 3))
    largest = sorted(
        max(ratio(np.array(signs) * column) for column in differences.T)
        for signs in product((1, -1), repeat=8)
    )
    n_beyond = int(0.1 * 2**8)
    assert chance_bound(differences, level=0.1) == pytest.approx(largest[-n_beyond - 1])


@pytest.mark.parametrize(("level", "n_least"), [(0.1, 4), (0.2, 3), (0.05, 5)])
def test_it_takes_a_number_of_units(level: float, n_least: int) -> None:
    assert least_units(level) == n_least
    differences = np.repeat(np.arange(1.0, 13.0), 5)[:, None]
    few, enough = (np.arange(60) % n for n in (n_least - 1, n_least))
    assert chance_bound(differences, few, level=level) == np.inf
    assert np.isfinite(chance_bound(differences, enough, level=level))


def test_equal_units_are_one_difference_each() -> None:
    by_unit = np.random.default_rng(0).normal(size=(9, 2))
    units = np.arange(45) % 9
    assert chance_bound(by_unit[units], units, level=0.1) == pytest.approx(chance_bound(by_unit, level=0.1))


def test_more_looks_take_more_and_copies_of_one_do_not() -> None:
    noise = np.random.default_rng(0).normal(size=(200, 30))
    one = chance_bound(noise[:, :1], level=0.1)
    assert chance_bound(noise, level=0.1) > one + 1
    assert chance_bound(np.repeat(noise[:, :1], 30, axis=1), level=0.1) == pytest.approx(one)
    nothing = np.zeros((200, 5))
    assert chance_bound(np.hstack([noise[:, :1], nothing]), level=0.1) == pytest.approx(one)


@pytest.mark.parametrize("n_right", [3, 4])
def test_a_few_items_are_judged_by_the_sign_test(n_right: int) -> None:
    """One side alone is right about three items: p is 1/8, about four: 1/16."""
    differences = (np.arange(40) < n_right).astype(float)[:, None]
    assert (ratio(differences[:, 0]) > chance_bound(differences, level=0.1)) == (n_right == 4)


@pytest.mark.parametrize("n_units", [5, None])
def test_as_many_as_stated_pass_by_chance(n_units: int | None) -> None:
    """Seven equally good candidates on 60 items, in 5 groups or none: the best passes in one race of ten."""
    random, passed = np.random.default_rng(0), 0
    units = None if n_units is None else np.arange(60) % n_units
    for _ in range(400):
        noise = random.normal(size=(60, 7)) + random.normal(size=(60, 1))
        if units is not None:
            noise += random.normal(size=(n_units, 8))[units][:, :7]
        sums = noise if units is None else np.stack([noise[units == unit].sum(axis=0) for unit in range(5)])
        found = max(ratio(column) for column in sums.T)
        passed += found > chance_bound(noise, units, level=0.1)
    assert 0.06 <= passed / 400 <= 0.14  # a standard error is 1.5 points
