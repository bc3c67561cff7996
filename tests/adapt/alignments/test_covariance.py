"""Shrunk covariances agree with scikit-learn's Ledoit-Wolf, with dense matrices and with repeated items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA

from headstart.adapt.alignments.covariance import covariance, covariance_matrix, principal_axes


def centred(n_items: int, n_features: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    z_ND = random.normal(size=(n_items, n_features)) @ random.normal(size=(n_features, n_features))
    return z_ND - z_ND.mean(axis=0)


def dense(found, n_features: int) -> np.ndarray:
    return found.times(np.eye(n_features), 1.0)


@pytest.mark.parametrize("n_items, n_features", [(50, 6), (20, 60), (30, 30)])
def test_equal_weights_give_ledoit_wolf(n_items: int, n_features: int) -> None:
    z_ND = centred(n_items, n_features)
    expected = LedoitWolf(assume_centered=True).fit(z_ND).covariance_
    np.testing.assert_allclose(dense(covariance(z_ND), n_features), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(covariance_matrix(z_ND, n_features), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_items, n_features", [(50, 6), (20, 60)])
def test_weights_give_the_definition(n_items: int, n_features: int) -> None:
    random = np.random.default_rng(1)
    weights = random.random(n_items) * (random.random(n_items) > 0.2)
    z_ND = centred(n_items, n_features)
    share = weights / weights.sum()
    z_ND = z_ND - share @ z_ND
    s = sum(w * np.outer(z, z) for w, z in zip(share, z_ND))
    target = np.trace(s) / n_features * np.eye(n_features)
    noise = sum(w**2 * np.square(np.outer(z, z) - s).sum() for w, z in zip(share, z_ND))
    amount = min(1.0, noise / np.square(s - target).sum())
    assert 0.01 < amount < 0.99
    expected = (1 - amount) * s + amount * target
    np.testing.assert_allclose(dense(covariance(z_ND, weights), n_features), expected, atol=1e-9)
    np.testing.assert_allclose(covariance_matrix(z_ND, n_features, weights), expected, atol=1e-9)


def test_coordinates_give_the_covariance_of_the_features() -> None:
    z_ND = centred(10, 40)
    basis, _ = np.linalg.qr(z_ND.T)
    inside = covariance_matrix(z_ND @ basis, 40)
    np.testing.assert_allclose(inside, basis.T @ dense(covariance(z_ND), 40) @ basis, atol=1e-9)


@pytest.mark.parametrize("exponent", [-0.5, 0.5, -1.0])
@pytest.mark.parametrize("n_items", [40, 5])
def test_powers(n_items: int, exponent: float) -> None:
    z_ND, found = centred(n_items, 8), covariance(centred(n_items, 8))
    values, vectors = np.linalg.eigh(dense(found, 8))
    expected = z_ND @ (vectors * values**exponent) @ vectors.T
    np.testing.assert_allclose(found.times(z_ND, exponent), expected, rtol=1e-7, atol=1e-7)


def test_two_items_say_nothing_about_directions() -> None:
    z_ND = np.array([[1.0, -2.0, 0.5], [-1.0, 2.0, -0.5]])
    np.testing.assert_allclose(dense(covariance(z_ND), 3), 5.25 / 3 * np.eye(3))


def test_features_that_do_not_vary_give_the_identity() -> None:
    np.testing.assert_array_equal(dense(covariance(np.zeros((4, 3))), 3), np.eye(3))
    np.testing.assert_array_equal(covariance_matrix(np.zeros((4, 3)), 3), np.eye(3))
    assert principal_axes(np.zeros((4, 3)))[0].shape == (3, 0)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 12), st.integers(1, 12), st.integers(0, 1000))
def test_always_positive_definite_and_of_the_same_trace(n_items: int, n_features: int, seed: int) -> None:
    z_ND = centred(n_items, n_features, seed)
    values = np.linalg.eigvalsh(dense(covariance(z_ND), n_features))
    assert values.min() > 0
    assert values.sum() == pytest.approx(np.square(z_ND).sum() / n_items, rel=1e-6)


@pytest.mark.parametrize("n_items, n_features", [(50, 6), (8, 20)])
def test_axes_are_those_of_scikit_learn(n_items: int, n_features: int) -> None:
    z_ND = centred(n_items, n_features)
    expected = PCA(5, svd_solver="full").fit(z_ND)
    axes, shares = principal_axes(z_ND)
    np.testing.assert_allclose(shares[:5], expected.explained_variance_ratio_, rtol=1e-9)
    np.testing.assert_allclose(np.abs(axes[:, :5]), np.abs(expected.components_.T), atol=1e-7)
    assert (axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] > 0).all()


def test_axes_of_whole_weights_are_those_of_repeated_items() -> None:
    z_ND, weights = centred(20, 5), np.arange(20) % 4
    z_ND = z_ND - np.average(z_ND, axis=0, weights=weights)
    repeated = np.repeat(z_ND, weights, axis=0)
    for got, expected in zip(principal_axes(z_ND, weights), principal_axes(repeated)):
        np.testing.assert_allclose(got, expected, atol=1e-9)
