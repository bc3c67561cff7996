"""CORAL agrees with skada and with its closed form, and gives the source the covariance of the target."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.adapt.alignments.coral import align, recoloured
from headstart.adapt.alignments.covariance import covariance
from headstart.adapt.domains import Domains


@pytest.mark.real
def test_golden_closed_form(golden: dict) -> None:
    source, target = (golden[name] - golden[name].mean(axis=0) for name in ("Xs", "Xt"))
    z = recoloured(source, covariance(source, shrinkage=0.0), covariance(target, shrinkage=0.0))
    expected = golden["exact_CORAL_centred_ddof0"]
    np.testing.assert_allclose(z[0], expected["Z[0]"], rtol=1e-8)
    assert np.linalg.norm(z) == pytest.approx(expected["frobenius"], rel=1e-9)
    np.testing.assert_allclose(z, golden["out_CORAL_reg_1e-8"][: len(z)], atol=1e-6)


@pytest.mark.real
def test_golden_shrinkage_of_skada(golden: dict) -> None:
    """skada's reg=0.1 shrinks both covariances by that amount towards the mean variance."""
    source, target = (golden[name] - golden[name].mean(axis=0) for name in ("Xs", "Xt"))
    z = recoloured(source, covariance(source, shrinkage=0.1), covariance(target, shrinkage=0.1))
    np.testing.assert_allclose(z, golden["out_CORAL_reg_0.1"][: len(z)], atol=1e-6)


def root(matrix: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T


def test_naive_version_with_weights(weighted: Domains) -> None:
    aligned, affine = align(weighted)
    share = weighted.weights_N / weighted.weights_N.sum()
    x, t = weighted.source_ND.astype(float), weighted.target_MD.astype(float)
    x = x - share @ x
    x /= np.sqrt(share @ x**2)
    t = (t - t.mean(axis=0)) / t.std(axis=0)
    source, target = (covariance(*each).times(np.eye(5), 1.0) for each in ((x, share), (t,)))
    np.testing.assert_allclose(aligned.source_ND, x @ root(source, -0.5) @ root(target, 0.5), atol=1e-5)
    np.testing.assert_allclose(aligned.target_MD, t, atol=1e-5)
    np.testing.assert_allclose(affine.apply(weighted.target_MD), t, atol=1e-5)


def test_covariances_come_near_each_other(moved: Domains) -> None:
    """They would be the same without shrinkage."""
    before = np.corrcoef(moved.source_ND.T) - np.corrcoef(moved.target_MD.T)
    aligned, _ = align(moved)
    after = np.cov(aligned.source_ND.T, ddof=0) - np.cov(aligned.target_MD.T, ddof=0)
    assert np.linalg.norm(after) < 0.5 * np.linalg.norm(before)
