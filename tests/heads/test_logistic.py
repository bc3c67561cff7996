"""Logistic regression against scikit-learn, over folds and penalties, in memory and streamed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from headstart.heads.logistic import fit_logistic, logistic_path
from headstart.heads.reduce import reduce, standardiser
from headstart.heads.ridge import fit_ridge
from headstart.heads.streamed import fit_logistic_streamed, fit_ridge_streamed
from headstart.tasks.activations import softmax

from .labelled import indicators, labelled


def case(n_items: int, width: int, n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n_items - n_classes)])
    x = rng.normal(size=(n_items, width)) @ rng.normal(size=(width, width)) / np.sqrt(width)
    x[np.arange(n_items), y % width] += 1.5
    return x.astype(np.float32), y


def of_scikit_learn(x: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """Probabilities; for two classes scikit-learn penalises one vector where softmax has two halves."""
    inverse = 1 / (penalty * len(y)) * (2 if len(set(y)) == 2 else 1)
    return LogisticRegression(C=inverse, tol=1e-8, max_iter=5000).fit(x, y).predict_proba(x)


@settings(max_examples=15, deadline=None)
@given(
    n_items=st.integers(12, 80),
    width=st.integers(2, 40),
    n_classes=st.integers(2, 5),
    penalty=st.sampled_from([1.0, 0.1, 0.01]),
    seed=st.integers(0, 99),
)
def test_probabilities_equal_those_of_scikit_learn(
    n_items: int, width: int, n_classes: int, penalty: float, seed: int
) -> None:
    x, y = case(n_items, width, n_classes, seed)
    reduced = reduce(x, standardiser(x))
    weight, bias = fit_logistic(reduced.z, y, n_classes, penalty)
    standard = reduced.standardiser.apply(x)
    found = softmax(standard @ reduced.weights(weight).T + bias)
    assert np.abs(found - of_scikit_learn(standard, y, penalty)).max() < 5e-3


def test_out_of_fold_logits_equal_fits_without_the_fold() -> None:
    x, y = case(90, 8, 3)
    z = reduce(x, standardiser(x)).z
    folds = np.arange(90) % 3
    penalties = np.array([1.0, 0.1])
    path = logistic_path(z, y, 3, folds, penalties, tolerance=1e-6, max_steps=300)
    for penalty, found in zip(penalties, path):
        for fold in range(3):
            kept = folds != fold
            weight, bias = fit_logistic(z[kept], y[kept], 3, penalty, tolerance=1e-6)
            wanted = softmax(z[~kept] @ weight.T + bias)
            assert np.abs(softmax(found[~kept]) - wanted).max() < 2e-3


def test_a_warm_start_ends_in_the_same_place() -> None:
    x, y = case(60, 6, 3)
    z = reduce(x, standardiser(x)).z
    cold = fit_logistic(z, y, 3, 0.01, tolerance=1e-6)
    warm = fit_logistic(z, y, 3, 0.01, start=fit_logistic(z, y, 3, 0.1), tolerance=1e-6)
    assert np.abs(softmax(z @ cold[0].T + cold[1]) - softmax(z @ warm[0].T + warm[1])).max() < 1e-3


def test_a_class_that_a_fold_has_never_seen_does_no_harm() -> None:
    x, y = case(40, 5, 2)
    y[:1] = 2
    z = reduce(x, standardiser(x)).z
    logits = next(logistic_path(z, y, 3, np.arange(40) % 4, np.array([0.1])))
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("kind", ["logistic", "ridge"])
def test_streamed_fits_equal_those_in_memory(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headstart.heads.streamed.CHUNK", 50)
    x, y = case(300, 7, 3)
    reduced = reduce(x + 30, standardiser(x + 30))
    if kind == "logistic":
        wanted = fit_logistic(reduced.z, y, 3, 0.05, tolerance=1e-6)
        found = fit_logistic_streamed(x + 30, y, 3, reduced, 0.05, tolerance=1e-6)
    else:
        wanted = fit_ridge(reduced.z, indicators(y, 3), 4.0)
        found = fit_ridge_streamed(x + 30, indicators(y, 3), reduced, 4.0)
    for one, other in zip(found, wanted):
        assert np.allclose(one, other, atol=2e-3)


@pytest.mark.parametrize("penalty", [0.3, 0.003])
def test_each_label_is_its_own_logistic_regression(penalty: float) -> None:
    x, y = labelled()
    z = x - x.mean(axis=0)
    weight, bias = fit_logistic(z, y, 3, penalty, tolerance=1e-6)
    for label in range(3):
        own = LogisticRegression(C=1 / (penalty * len(z)), tol=1e-8, max_iter=2000).fit(z, y[:, label])
        assert np.allclose(weight[label], own.coef_[0], atol=2e-3)
        assert np.isclose(bias[label], own.intercept_[0], atol=2e-3)


def test_out_of_fold_scores_of_labels_come_from_the_other_folds() -> None:
    x, y = labelled()
    z, folds = x - x.mean(axis=0), np.arange(150) % 3
    (found,) = logistic_path(z, y, 3, folds, np.array([0.05]), tolerance=1e-6, max_steps=300)
    weight, bias = fit_logistic(z[folds != 1], y[folds != 1], 3, 0.05, tolerance=1e-6)
    assert np.allclose(found[folds == 1], z[folds == 1] @ weight.T + bias, atol=2e-3)


def test_streamed_labels_equal_those_in_memory() -> None:
    x, y = labelled(300)
    reduced = reduce(x, standardiser(x))
    wanted = fit_logistic(reduced.z, y, 3, 0.02)
    found = fit_logistic_streamed(x, y, 3, reduced, 0.02, tolerance=1e-5, max_steps=300)
    for one, other in zip(wanted, found, strict=True):
        assert np.allclose(one, other, atol=3e-3)


def test_a_weight_of_two_counts_like_two_items() -> None:
    x, y = case(60, 6, 3)
    z = reduce(x, standardiser(x)).z
    counts = np.random.default_rng(0).integers(0, 3, 60)
    weighted = fit_logistic(z, y, 3, 0.05, weights_N=counts.astype(np.float64), tolerance=1e-6)
    repeated = fit_logistic(np.repeat(z, counts, axis=0), np.repeat(y, counts), 3, 0.05, tolerance=1e-6)
    for one, other in zip(weighted, repeated, strict=True):
        assert np.allclose(one, other, atol=2e-3)
    scaled = fit_logistic(z, y, 3, 0.05, weights_N=7.0 * counts, tolerance=1e-6)
    assert np.allclose(scaled[0], weighted[0], atol=1e-4), "only ratios of weights count"


def test_the_folds_of_a_path_are_fitted_as_closely_as_the_head_that_is_returned() -> None:
    """At a weak penalty too: a fit that stops early is regularised by that, and looks better than it is."""
    rng = np.random.default_rng(0)
    y = (rng.random(120) < 0.3).astype(int)
    z = rng.normal(size=(120, 400)).astype(np.float32)
    z[:, :40] += 0.3 * y[:, None]
    z -= z.mean(axis=0)
    folds, penalties = np.arange(120) % 3, np.logspace(0, -2, 4)
    *_, left_out = logistic_path(z, y, 2, folds, penalties)
    for fold in range(3):
        inside = folds != fold
        weight, bias = fit_logistic(z[inside], y[inside], 2, penalties[-1], tolerance=1e-6, max_steps=2_000)
        own = z[~inside] @ weight.T + bias
        margins = [scores[:, 1] - scores[:, 0] for scores in (left_out[~inside], own)]
        np.testing.assert_allclose(*margins, rtol=0.05, atol=0.05 * np.abs(margins[1]).mean())
