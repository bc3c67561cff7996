"""The linear Monge map agrees with skada and with its formula, and turns one covariance into the other."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.adapt.alignments.covariance import covariance_matrix
from headstart.adapt.alignments.linear_ot import align, transported
from headstart.adapt.domains import Domains


def root(matrix: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T


def monge(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    half, back = root(source, 0.5), root(source, -0.5)
    return back @ root(half @ target @ half, 0.5) @ back


@pytest.mark.real
def test_golden_skada(golden: dict) -> None:
    source, target = golden["Xs"], golden["Xt"]
    moved = transported(source - source.mean(axis=0), target - target.mean(axis=0), shrinkage=0.0)
    expected = golden["LinearOT_default"]
    np.testing.assert_allclose(moved[0] + target.mean(axis=0), expected["Z[0]"], rtol=1e-6)
    both = np.concatenate([moved + target.mean(axis=0), target])
    assert np.linalg.norm(both) == pytest.approx(expected["frobenius"], rel=1e-7)
    np.testing.assert_allclose(both, golden["out_LinearOT_default"], atol=1e-6)


@pytest.mark.parametrize("n_items, n_features", [(30, 6), (20, 50), (10, 50)])
def test_naive_version(n_items: int, n_features: int) -> None:
    """More items than features, fewer, and so few that it is computed in their space."""
    random = np.random.default_rng(0)
    weights = random.random(n_items)
    source = random.normal(size=(n_items, n_features)) @ random.normal(size=(n_features, n_features))
    source -= np.average(source, axis=0, weights=weights)
    target = 2 * random.normal(size=(n_items, n_features))
    target -= target.mean(axis=0)
    matrix = monge(covariance_matrix(source, n_features, weights), covariance_matrix(target, n_features))
    np.testing.assert_allclose(transported(source, target, weights), source @ matrix, rtol=1e-6, atol=1e-6)


def test_covariance_becomes_that_of_the_target() -> None:
    random = np.random.default_rng(1)
    source, target = random.normal(size=(80, 4)), random.normal(size=(60, 4)) @ random.normal(size=(4, 4))
    source, target = source - source.mean(axis=0), target - target.mean(axis=0)
    moved = transported(source, target, shrinkage=0.0)
    np.testing.assert_allclose(moved.T @ moved / 80, target.T @ target / 60, atol=1e-9)


def test_standardises_each_domain_with_weights(weighted: Domains) -> None:
    aligned, affine = align(weighted)
    share = weighted.weights_N / weighted.weights_N.sum()
    np.testing.assert_allclose(share @ aligned.source_ND, 0, atol=1e-5)
    np.testing.assert_allclose(aligned.target_MD.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(share @ aligned.source_ND**2, 1, atol=0.2)  # shrinkage blurs the correlations
    np.testing.assert_array_equal(affine.apply(weighted.target_MD), aligned.target_MD)
