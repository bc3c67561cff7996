"""A correction is chosen where it helps beyond chance, and never scored on what it was fitted to."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from headstart.calibrating.assembling import _balance
from headstart.calibrating.choosing import N_FOLDS, choose, folds_of
from headstart.evidence.folds import cross_validation_factor
from headstart.heads.correction import scores_of
from headstart.heads.recalibrate import fit_correction
from headstart.metrics import Interval, Units
from headstart.metrics.skewed import skewed_mean
from headstart.tasks import CLASSIFICATION, MULTILABEL


def drawn(
    n_items: int, heat: float = 1.0, n_classes: int = 4, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that a model states, and classes drawn from the right ones."""
    rng = np.random.default_rng(seed)
    scores = 1.5 * rng.normal(size=(n_items, n_classes))
    y = (softmax(scores, axis=1).cumsum(axis=1) < rng.random((n_items, 1))).sum(axis=1)
    return softmax(heat * scores, axis=1).astype(np.float32), np.minimum(y, n_classes - 1)


def alone(n_items: int) -> Units:
    return Units.of(None, n_items)


def test_a_model_that_is_right_is_rarely_corrected() -> None:
    made = sum(
        choose(CLASSIFICATION, *drawn(100, seed=seed), alone(100), seed=seed).chosen is not None
        for seed in range(20)
    )
    assert made <= 2


def test_an_overconfident_model_gets_a_temperature() -> None:
    found = choose(CLASSIFICATION, *drawn(400, heat=2.5), alone(400))
    assert found.chosen is not None and found.chosen.name == "temperature"
    assert found.chosen.correction.temperature == pytest.approx(2.5, rel=0.2)
    assert found.n_folds == N_FOLDS and not found.is_right


def test_other_shares_get_biases() -> None:
    p, y = drawn(4000)
    kept = np.random.default_rng(1).random(len(y)) < np.array([1.0, 0.1, 0.1, 0.3])[y]
    found = choose(CLASSIFICATION, p[kept], y[kept], alone(int(kept.sum())))
    assert found.chosen is not None and found.chosen.has_biases
    assert found.chosen.correction.bias_C.argmax() == 0


def test_each_item_is_scored_by_a_correction_that_was_fitted_without_its_fold() -> None:
    p, y = drawn(60, heat=3.0)
    units = Units.of(np.arange(60) // 3, 60)
    found, folds = choose(CLASSIFICATION, p, y, units, seed=4), folds_of(units, 4)
    candidate, scores = found.candidates[0], scores_of(CLASSIFICATION, p)
    for fold in range(N_FOLDS):
        inside = folds == fold
        fitted = fit_correction(CLASSIFICATION, scores[~inside], y[~inside], with_biases=False)
        np.testing.assert_allclose(
            candidate.outputs_NC[inside], fitted.outputs(CLASSIFICATION, scores[inside]), atol=1e-3
        )
    losses = [CLASSIFICATION.item_losses(each, y) for each in (candidate.outputs_NC, p)]
    wider = Units.of(units, 60, widen=cross_validation_factor(N_FOLDS))
    expected, narrow = (skewed_mean(losses[0] - losses[1], each) for each in (wider, units))
    change = candidate.change
    assert (change.value, change.low, change.high) == pytest.approx(
        (expected.value, expected.low, expected.high), abs=1e-4
    )
    assert change.high is not None and narrow.high is not None and change.high > narrow.high + 1e-3


def test_items_of_one_unit_lie_in_one_fold_and_no_fold_is_empty() -> None:
    units = Units.of(np.repeat(np.arange(12), 5), 60)
    folds = folds_of(units)
    assert all(len(set(folds[units.numbers == unit])) == 1 for unit in range(12))
    assert set(folds) == set(range(N_FOLDS))
    assert set(folds_of(Units.of(np.arange(30) % 3, 30))) == {0, 1, 2}


def test_too_few_items_say_nothing() -> None:
    found = choose(CLASSIFICATION, *drawn(20, heat=4.0), alone(20))
    assert found.chosen is None and found.could_gain is None and not found.is_right


def test_many_items_of_a_model_that_is_right_say_so() -> None:
    found = choose(CLASSIFICATION, *drawn(3000), alone(3000))
    assert found.chosen is None and found.is_right
    gain = found.could_gain
    assert gain is not None and 0 <= gain < 0.02


def test_a_fall_of_balanced_accuracy_is_told() -> None:
    def scores(value: float) -> dict[str, Interval]:
        return {"balanced_accuracy": Interval(value)}

    (told,) = _balance(scores(0.77), scores(0.569))
    assert "falls from 77.0% to 56.9%" in told
    assert not [*_balance(scores(0.77), scores(0.765)), *_balance(scores(0.77), {}), *_balance({}, {})]


def test_labels() -> None:
    rng = np.random.default_rng(0)
    scores = 1.5 * rng.normal(size=(300, 3))
    y = (rng.random(scores.shape) < 1 / (1 + np.exp(-scores))).astype(np.float32)
    stated = (1 / (1 + np.exp(-3 * scores))).astype(np.float32)
    found = choose(MULTILABEL, stated, y, alone(300))
    assert found.chosen is not None
    assert found.chosen.correction.temperature == pytest.approx(3, rel=0.25)
