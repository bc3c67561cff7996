"""Subspace alignment agrees with skada and with its formula; the number of axes follows the variance."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from headstart.adapt.alignments.covariance import principal_axes
from headstart.adapt.alignments.subspace import MOST_AXES, align, aligned_axes, n_axes
from headstart.adapt.domains import Domains


@pytest.mark.real
def test_golden_skada(golden: dict) -> None:
    source, target = (golden[name] - golden[name].mean(axis=0) for name in ("Xs", "Xt"))
    of_source, of_target = principal_axes(source)[0][:, :2], principal_axes(target)[0][:, :2]
    both = np.concatenate([source @ aligned_axes(of_source, of_target), target @ of_target])
    expected = golden["out_SubspaceAlignment_2"]
    signs = np.sign(expected[0] / both[0])  # of an axis, which are free
    np.testing.assert_allclose(both * signs, expected, atol=1e-9)
    assert np.linalg.norm(both) == pytest.approx(golden["SubspaceAlignment_2"]["frobenius"], rel=1e-9)


def test_naive_version(moved: Domains) -> None:
    aligned, affine = align(moved, n_components=3)
    source, target = ((x - x.mean(axis=0)) / x.std(axis=0) for x in (moved.source_ND, moved.target_MD))
    of_source, of_target = (PCA(3).fit(x).components_ for x in (source, target))
    expected = source @ of_source.T @ of_source @ of_target.T
    signs = np.sign(expected[0] / aligned.source_ND[0])
    np.testing.assert_allclose(aligned.source_ND * signs, expected, atol=1e-4)
    np.testing.assert_allclose(aligned.target_MD * signs, target @ of_target.T, atol=1e-4)
    np.testing.assert_allclose(affine.apply(moved.target_MD), aligned.target_MD, atol=1e-5)


def test_weights_change_the_axes_of_the_source(moved: Domains, weighted: Domains) -> None:
    plain, other = (align(each, n_components=2)[0] for each in (moved, weighted))
    np.testing.assert_array_equal(plain.target_MD, other.target_MD)
    assert np.abs(plain.source_ND - other.source_ND).max() > 0.01


def test_number_of_axes() -> None:
    few, many = np.array([0.9, 0.06, 0.04]), np.full(400, 1 / 400)
    assert n_axes(few, few) == 2
    assert n_axes(few, np.array([0.5, 0.3, 0.2])) == 3
    assert n_axes(many, many) == MOST_AXES
    assert n_axes(few, many) == 3  # no more than a domain has
    assert n_axes(np.zeros(0), many) == 0


def test_a_domain_that_does_not_vary_is_not_turned(moved: Domains) -> None:
    still = moved.with_features(moved.source_ND, np.full_like(moved.target_MD, 2.0))
    aligned, affine = align(still)
    assert affine.matrix is None and aligned.source_ND.shape == moved.source_ND.shape
