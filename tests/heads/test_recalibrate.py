"""The correction that is fitted to labelled items, where the truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

from headstart.heads.recalibrate import RIDGE, fit_correction, occurring
from headstart.tasks import CLASSIFICATION, MULTILABEL


def classes(n_items: int, n_classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True scores of shape (N, C), and classes drawn from them."""
    rng = np.random.default_rng(seed)
    scores = log_softmax(1.5 * rng.normal(size=(n_items, n_classes)), axis=1)
    return scores, (np.exp(scores).cumsum(axis=1) < rng.random((n_items, 1))).sum(axis=1)


def test_the_temperature_of_an_overconfident_model_is_found() -> None:
    scores, y = classes(20_000)
    for with_biases in (False, True):
        found = fit_correction(CLASSIFICATION, log_softmax(2 * scores, axis=1), y, with_biases=with_biases)
        assert found.temperature == pytest.approx(2, rel=0.05)
        assert np.abs(found.bias_C).max() < 0.1


def test_the_biases_of_other_shares_are_the_logarithms_of_their_ratios() -> None:
    scores, y = classes(60_000)
    weights = np.array([1.0, 4.0, 0.5])
    rng = np.random.default_rng(1)
    kept = rng.random(len(y)) < weights[y] / weights.max()
    found = fit_correction(CLASSIFICATION, scores[kept], y[kept], with_biases=True)
    ratios = np.log(weights) - np.log(weights).mean()
    assert found.temperature == pytest.approx(1, abs=0.06)
    np.testing.assert_allclose(found.bias_C - found.bias_C.mean(), ratios, atol=0.12)


def test_labels_have_one_slope_and_biases_of_their_own() -> None:
    rng = np.random.default_rng(2)
    scores = 1.5 * rng.normal(size=(20_000, 3))
    y = (rng.random(scores.shape) < expit(scores)).astype(np.float32)
    stated = 2 * (scores - np.array([1.0, 0.0, -0.5]))
    found = fit_correction(MULTILABEL, stated, y, with_biases=True)
    assert found.temperature == pytest.approx(2, rel=0.05)
    np.testing.assert_allclose(found.bias_C, [1.0, 0.0, -0.5], atol=0.07)


def test_it_is_the_minimum_of_the_penalised_loss() -> None:
    """Against a search without derivatives."""
    scores, y = classes(40)
    found = fit_correction(CLASSIFICATION, scores, y, with_biases=True)

    def loss(given: np.ndarray) -> float:
        log_p = log_softmax(given[0] * scores + given[1:], axis=1)
        return float(
            -log_p[np.arange(len(y)), y].sum() + RIDGE / 2 * ((given[0] - 1) ** 2 + given[1:] @ given[1:])
        )

    searched = minimize(
        loss,
        np.array([1.0, 0, 0, 0]),
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 5000},
    )
    np.testing.assert_allclose(np.concatenate([[1 / found.temperature], found.bias_C]), searched.x, atol=2e-3)


def test_a_class_that_no_item_has_keeps_its_bias() -> None:
    scores, y = classes(200, 4)
    kept = y != 2
    found = fit_correction(CLASSIFICATION, scores[kept], y[kept], with_biases=True)
    assert found.bias_C[2] == 0 and (found.bias_C[[0, 1, 3]] != 0).all()
    assert occurring(CLASSIFICATION, y[kept], 4).tolist() == [True, True, False, True]


def test_a_class_that_no_item_has_keeps_its_odds() -> None:
    """The other biases do not rise together to make room for items of it that did not come."""
    scores, y = classes(2_000, 5)
    kept = y != 0
    found = fit_correction(CLASSIFICATION, scores[kept], y[kept], with_biases=True)
    before, after = (softmax(each, axis=1)[:, 0].mean() for each in (scores, found.scores(scores)))
    assert before > 0.15 and after == pytest.approx(before, abs=0.03)
    assert found.bias_C.sum() == pytest.approx(0, abs=1e-3) and found.temperature == pytest.approx(1, abs=0.1)


def test_one_class_alone_says_nothing() -> None:
    scores, _ = classes(50)
    found = fit_correction(CLASSIFICATION, scores, np.ones(50, dtype=int), with_biases=True)
    assert (found.temperature, found.bias_C.tolist()) == (1, [0, 0, 0])


def test_a_label_that_none_or_all_items_have_keeps_its_bias() -> None:
    rng = np.random.default_rng(3)
    y = np.stack([np.ones(50), np.zeros(50), rng.random(50) < 0.5], axis=1).astype(np.float32)
    found = fit_correction(MULTILABEL, rng.normal(size=(50, 3)), y, with_biases=True)
    assert found.bias_C[:2].tolist() == [0, 0] and found.bias_C[2] != 0


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["all right", "all wrong"])
def test_separated_items_give_a_usable_correction(sign: float) -> None:
    y = np.arange(30) % 3
    scores = log_softmax(sign * 20.0 * np.eye(3)[y], axis=1)
    found = fit_correction(CLASSIFICATION, scores, y, with_biases=True)
    assert np.isfinite(found.bias_C).all()
    if sign > 0:  # items that are all right say little: the run is not made infinitely sure
        assert 0.5 < found.temperature < 2
    else:
        assert softmax(found.scores(scores), axis=1).max() < 0.4


def test_where_it_begins_has_no_effect() -> None:
    scores, y = classes(100)
    stated: Any = log_softmax(3 * scores, axis=1)
    found = fit_correction(CLASSIFICATION, stated, y, with_biases=True)
    again = fit_correction(CLASSIFICATION, stated, y, with_biases=True, start=found)
    assert again.temperature == pytest.approx(found.temperature, rel=1e-3)
    np.testing.assert_allclose(again.bias_C, found.bias_C, atol=2e-3)
