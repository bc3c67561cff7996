"""What is kept of labelled features, and the virtual items that are drawn from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from headstart.adapt.summary import FOR_AXES, LEAST_DRAWN, MOST_AXES, MOST_DRAWN, FeatureSummary, summarise


def labelled(
    n_items: int = 400, width: int = 12, n_classes: int = 3, seed: int = 0, offset: float = 0.0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    generator = np.random.default_rng(seed)
    codes = np.concatenate([np.arange(n_classes), generator.integers(0, n_classes, n_items - n_classes)])
    mixing = generator.normal(size=(width, width)) * np.geomspace(0.01, 100, width)
    x_ND = (
        generator.normal(size=(n_items, width)) @ mixing
        + 3 * generator.normal(size=(n_classes, width))[codes]
    )
    return (x_ND + offset).astype(np.float32), codes.astype(np.int64)


def within(x_ND: NDArray[np.float32], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """The pooled covariance within classes, by its definition."""
    classes = np.unique(codes)
    residual = np.concatenate(
        [x_ND[codes == c] - x_ND[codes == c].mean(axis=0, dtype=np.float64) for c in classes]
    )
    return np.asarray(residual.T @ residual / (len(x_ND) - len(classes)))


def covariance(summary: FeatureSummary) -> NDArray[np.float64]:
    scaled = summary.axes.astype(np.float64) * summary.deviation
    return np.asarray(
        scaled.T @ np.diag(summary.variances.astype(np.float64)) @ scaled + np.diag(summary.residual)
    )


@pytest.mark.parametrize("chunk", [7, 100, 8_192])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_counts_means_and_covariance_are_those_of_the_items(chunk: int, offset: float) -> None:
    x_ND, codes = labelled(offset=offset)
    found = summarise(x_ND, codes, 3, chunk=chunk)
    assert found.counts.tolist() == np.bincount(codes).tolist() and found.n_items == len(codes)
    for code in range(3):
        np.testing.assert_allclose(
            found.means[code], x_ND[codes == code].mean(axis=0, dtype=np.float64), rtol=1e-5, atol=1e-4
        )
    truth = within(x_ND, codes)
    unit = np.sqrt(np.outer(np.diag(truth), np.diag(truth)))
    np.testing.assert_allclose(
        covariance(found) / unit, truth / unit, atol=2e-3
    )  # 12 axes: nothing is left out
    np.testing.assert_allclose(found.mean, x_ND.mean(axis=0, dtype=np.float64), rtol=1e-5, atol=1e-4)
    freedom = np.sqrt(397 / 400)  # deviation within is unbiased, that of all items is not
    np.testing.assert_allclose(
        found.total_deviation, x_ND.std(axis=0, dtype=np.float64), rtol=1 / freedom - 1 + 1e-3
    )


def test_every_feature_keeps_its_variance_where_axes_are_left_out() -> None:
    x_ND, codes = labelled(n_items=300, width=200)
    found = summarise(x_ND, codes, 3)
    assert len(found.variances) == MOST_AXES
    np.testing.assert_allclose(np.diag(covariance(found)), np.diag(within(x_ND, codes)), rtol=1e-3)
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(MOST_AXES), atol=1e-4)


def test_axes_are_found_from_a_sample_of_many_items() -> None:
    x_ND, codes = labelled(n_items=3 * FOR_AXES)
    found, truth = summarise(x_ND, codes, 3, chunk=500), within(x_ND, codes)
    unit = np.sqrt(np.outer(np.diag(truth), np.diag(truth)))
    assert np.abs(covariance(found) - truth).max() / unit.max() < 0.15
    np.testing.assert_allclose(np.square(found.deviation), np.diag(truth), rtol=1e-4)


@settings(max_examples=25)
@given(
    n_items=st.integers(1, 40), width=st.integers(1, 30), n_classes=st.integers(1, 5), seed=st.integers(0, 99)
)
def test_any_items_give_finite_virtual_items(n_items: int, width: int, n_classes: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    x_ND = generator.normal(size=(n_items, width)).astype(np.float32)
    x_ND[:, 0] = 5.0  # a constant feature
    codes = generator.integers(0, n_classes, n_items)
    found = summarise(x_ND, codes, n_classes)
    virtual, drawn = found.draw(seed)
    assert np.isfinite(virtual).all() and virtual.dtype == np.float32 and len(virtual) == len(drawn)
    assert LEAST_DRAWN - n_classes <= len(drawn) <= LEAST_DRAWN + 2 * n_classes
    assert set(drawn.tolist()) == set(codes.tolist())
    np.testing.assert_allclose(virtual[:, 0], 5.0)


def test_virtual_items_have_the_moments_of_the_summary() -> None:
    x_ND, codes = labelled(n_items=600)
    counts = np.array([30_000, 10_000, 10_000])
    found = summarise(x_ND, codes, 3, counts=counts)
    virtual, drawn = found.draw(seed=1)
    assert len(drawn) == MOST_DRAWN and np.bincount(drawn).tolist() == [1_200, 400, 400]
    for code in range(3):
        np.testing.assert_allclose(
            virtual[drawn == code].mean(axis=0), found.means[code], rtol=1e-3, atol=1e-3
        )
    truth, measured = covariance(found), within(virtual, drawn)
    unit = np.sqrt(np.outer(np.diag(truth), np.diag(truth)))
    assert np.abs((truth - measured) / unit).max() < 0.15


def test_a_seed_gives_the_same_items_and_another_one_others() -> None:
    found = summarise(*labelled(), 3)
    first, again, other = (found.draw(seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
