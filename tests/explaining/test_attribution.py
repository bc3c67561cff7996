"""What each part adds, on outputs whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.explaining.attribution import attributions, n_variants


def test_the_parts_of_a_sum_get_their_weights() -> None:
    weights = np.random.default_rng(0).normal(size=12)
    found = attributions(lambda present: present @ weights, 12)
    np.testing.assert_allclose(found, weights, atol=0.1 * np.abs(weights).max())
    assert (np.sign(found)[np.abs(weights) > 0.2] == np.sign(weights)[np.abs(weights) > 0.2]).all()


def test_two_parts_that_matter_only_together_share() -> None:
    """The Banzhaf value of each is half of what both add."""
    found = attributions(lambda present: 0.8 * (present[:, 3] & present[:, 5]), 10)
    assert found[[3, 5]] == pytest.approx(0.4, abs=0.06)
    assert np.abs(np.delete(found, [3, 5])).max() < 0.06


def test_it_is_the_ridge_regression_on_the_same_variants() -> None:
    seen = []

    def outputs(present: np.ndarray) -> np.ndarray:
        seen.append(present)
        return np.sin(3.0 * present @ np.arange(6))

    found = attributions(outputs, 6, seed=4)
    variants = np.concatenate(seen).astype(float)
    assert len(variants) == n_variants(6) and (variants[::2] + variants[1::2] == 1).all()
    centred, values = variants - variants.mean(axis=0), np.sin(3.0 * variants @ np.arange(6))
    naive = np.linalg.solve(centred.T @ centred + np.eye(6), centred.T @ (values - values.mean()))
    np.testing.assert_allclose(found, naive, atol=1e-5)


def test_large_quantities_do_not_hide_small_changes() -> None:
    found = attributions(lambda present: 1e9 + present[:, 0].astype(float), 3)
    assert found[0] == pytest.approx(1.0, abs=0.1) and np.abs(found[1:]).max() < 0.05


def test_one_part() -> None:
    assert attributions(lambda present: 0.5 * present[:, 0], 1)[0] == pytest.approx(0.5, abs=0.05)
