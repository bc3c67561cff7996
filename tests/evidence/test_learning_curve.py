"""Learning curves that are fitted to scores."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.evidence.learning_curve import BEYOND, fit_curve

SIZES = np.array([20.0, 50.0, 100.0, 200.0, 500.0])


@pytest.mark.parametrize("rises", [True, False])
def test_a_power_law_is_found_again_and_extrapolated(rises: bool) -> None:
    sign = 1 if rises else -1
    truth = lambda n: 0.5 + sign * (0.4 - 1.2 * n**-0.5)  # noqa: E731
    found = fit_curve(SIZES, truth(SIZES), 1e-6 * np.eye(5), rises=rises, most=1.0 if rises else 0.0)
    assert found.places[0] == 20 and found.places[-1] == pytest.approx(BEYOND * 500)
    np.testing.assert_allclose(found.value, truth(found.places), atol=0.01)
    assert (found.low <= found.value).all() and (found.value <= found.high).all()


def test_the_band_holds_the_truth_beyond_the_largest_number() -> None:
    rng, inside = np.random.default_rng(0), 0
    for _ in range(60):
        truth = 0.9 - 1.2 * SIZES**-0.5
        found = fit_curve(SIZES, rng.normal(truth, 0.015), 0.015**2 * np.eye(5), rises=True, most=1.0)
        inside += found.low[-1] <= 0.9 - 1.2 * 1000**-0.5 <= found.high[-1]
    assert inside >= 52


def test_scores_that_do_not_rise_give_a_flat_curve_within_what_is_possible() -> None:
    flat = fit_curve(SIZES, np.array([0.8, 0.79, 0.78, 0.77, 0.76]), 1e-4 * np.eye(5), rises=True, most=1.0)
    assert np.ptp(flat.value) < 1e-9
    perfect = fit_curve(SIZES, np.array([0.9, 0.99, 1.0, 1.0, 1.0]), 1e-4 * np.eye(5), rises=True, most=1.0)
    assert perfect.value.max() <= 1 + 1e-9 and perfect.high.max() <= 1 + 1e-9


def test_a_loss_that_meets_its_bound_is_the_mirror_of_an_accuracy() -> None:
    losses = np.array([0.9, 0.7, 0.5, 0.3, 0.1])
    sizes = np.array([20.0, 40.0, 80.0, 160.0, 320.0])
    loss = fit_curve(sizes, losses, 1e-4 * np.eye(5), rises=False, most=0.0)
    accuracy = fit_curve(sizes, 1 - losses, 1e-4 * np.eye(5), rises=True, most=1.0)
    np.testing.assert_allclose(loss.value, 1 - accuracy.value, atol=1e-9)
    assert loss.value[0] - loss.value[-1] > 0.5
