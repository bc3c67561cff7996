"""The running statistics of a stream, and the map from its features to those of training."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.adapt.stream import Stream


def items(n_items: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return (generator.normal(size=(n_items, 4)) * [0.1, 1, 10, 100] + [0, 1, 1_000, -5]).astype(np.float32)


@given(sizes=st.lists(st.integers(1, 20), min_size=1, max_size=5), prior=st.integers(1, 50))
def test_statistics_are_those_of_the_items_and_as_many_of_training(sizes: list[int], prior: int) -> None:
    training = np.array([[-1.0, 2, 900, 0], [1, 6, 1_100, 0]])  # mean 0, 4, 1000, 0; deviation 1, 2, 100, 0
    x_ND = items(sum(sizes))
    stream = Stream(training.mean(axis=0), training.std(axis=0), prior=2 * prior)
    for part in np.split(x_ND, np.cumsum(sizes)[:-1]):
        stream.see(part)
    both = np.concatenate([np.tile(training, (prior, 1)), x_ND.astype(np.float64)])
    np.testing.assert_allclose(stream.mean, both.mean(axis=0), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(stream.deviation, both.std(axis=0), rtol=1e-6)
    assert stream.n_items == sum(sizes)


def test_a_long_stream_gets_the_mean_and_deviation_of_training() -> None:
    x_ND, mean, deviation = items(20_000), np.array([1.0, 2, 3, 4]), np.array([4.0, 3, 2, 1])
    stream = Stream(mean, deviation)
    stream.see(x_ND)
    mapped = stream.map(x_ND)
    assert mapped.dtype == np.float32
    # Left of the prior: 16 of 20,000 items, of a feature whose mean lies 500 deviations away.
    np.testing.assert_allclose(mapped[:, [0, 1, 3]].mean(axis=0), mean[[0, 1, 3]], atol=0.1)
    np.testing.assert_allclose(mapped[:, [0, 1, 3]].std(axis=0), deviation[[0, 1, 3]], rtol=0.5)


@pytest.mark.parametrize("prior", [1e15])
def test_a_prior_of_many_items_is_the_identity(prior: float) -> None:
    x_ND = items(100)
    stream = Stream(x_ND.mean(axis=0) + 1.0, x_ND.std(axis=0) * 2, prior=prior)
    stream.see(x_ND)
    np.testing.assert_allclose(stream.map(x_ND), x_ND, rtol=1e-6, atol=1e-5)


def test_a_feature_that_is_constant_in_training_is_only_moved() -> None:
    x_ND = np.array([[1.0, 0.0], [3.0, 0.0]], dtype=np.float32)
    stream = Stream(np.zeros(2), np.zeros(2), prior=1e-9)
    stream.see(x_ND)
    np.testing.assert_allclose(stream.map(x_ND), [[-1, 0], [1, 0]], atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_item_that_is_not_finite_spoils_no_other(value: float) -> None:
    x_ND = items(40)
    alone, stream = (Stream(np.ones(4), np.ones(4)) for _ in range(2))
    alone.see(x_ND[1:])
    spoilt = x_ND.copy()
    spoilt[0, 2] = value
    stream.see(spoilt)
    assert stream.n_items == 39
    np.testing.assert_array_equal(stream.map(x_ND[1:]), alone.map(x_ND[1:]))
