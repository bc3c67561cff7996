"""The deletion test, step by step, and how often it finds something where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.explaining.assembling import outcome_of
from headstart.explaining.deletion import N_ORDERS, Deletion, delete
from headstart.metrics.differences import loss_difference


def test_the_most_important_part_goes_first() -> None:
    weights = np.array([0.1, 0.4, 0.2, 0.3])
    found = delete(lambda present: present @ weights, weights)
    np.testing.assert_allclose(found.shares, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(found.explained, [1, 0.6, 0.3, 0.1, 0], atol=1e-12)
    assert found.random.shape == (N_ORDERS, 5)
    assert (found.random >= found.explained - 1e-12).all()  # no order lets a sum fall faster
    assert found.mean_explained == pytest.approx(1 / 3)


def test_every_step_removes_as_many_parts_in_each_order() -> None:
    found = delete(lambda present: present.sum(axis=1).astype(float), np.arange(37.0))
    np.testing.assert_array_equal(found.random, np.tile(found.explained, (N_ORDERS, 1)))
    assert len(found.shares) == 11 and found.mean_explained == found.mean_random


def test_one_part_gives_no_difference() -> None:
    found = delete(lambda present: present[:, 0].astype(float), np.array([1.0]))
    assert found.mean_explained == found.mean_random


def outcomes(skill: float, n_repetitions: int) -> list[str]:
    """Outcomes of the test on eight items, whose explanations are `skill` parts truth and else noise."""
    generator, found = np.random.default_rng(0), []
    for _ in range(n_repetitions):
        items = [one_item(skill, generator) for _ in range(8)]
        random, explained = np.array([(each.mean_random, each.mean_explained) for each in items]).T
        found.append(outcome_of(loss_difference(random, explained)))
    return found


def one_item(skill: float, generator: np.random.Generator) -> Deletion:
    weights = generator.exponential(size=20)
    named = skill * weights + (1 - abs(skill)) * generator.normal(size=20)
    return delete(lambda present: np.tanh(present @ weights / 10), named, int(generator.integers(2**32)))


def test_noise_is_called_informative_as_rarely_as_the_interval_says() -> None:
    found = outcomes(0.0, 300)
    assert found.count("informative") <= 15  # 2.5% are expected, 7.5 of 300; 15 or more in 1 of 100
    assert found.count("none") >= 270


def test_true_explanations_are_found() -> None:
    assert outcomes(1.0, 20) == ["informative"] * 20
    assert outcomes(-1.0, 1) == ["misleading"]
