"""Weights of items: the heads are scikit-learn's, choices count by them, temperatures do not."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import balanced_accuracy_score, log_loss, r2_score
from sklearn.utils.class_weight import compute_sample_weight

import headstart.choose.kinds as kinds_module
from gaussian_head import GAUSSIAN
from headstart.choose import ArrayFeatures, Choice, choose_head
from headstart.choose.kinds import KINDS, LOGISTIC, RIDGE
from headstart.choose.tried_head import TriedHead
from headstart.heads.calibrate import fit_temperature
from headstart.heads.reduce import reduce, standardiser
from headstart.tasks import CLASSIFICATION, REGRESSION, Targets
from headstart.tasks.activations import softmax

NAMES = ("common", "middle", "rare")


def uneven(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features of shape (200, 6) of three classes with 150, 38 and 12 items, which overlap."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.repeat([0, 1, 2], [150, 38, 12]))
    centres = rng.normal(size=(3, 6))
    return (rng.normal(size=(200, 6)) + 1.2 * centres[codes]).astype(np.float32), codes


def chosen(x_ND: np.ndarray, codes: np.ndarray, weights: np.ndarray | None) -> Choice:
    labels = np.array([NAMES[code] for code in codes], dtype=object)
    return choose_head(ArrayFeatures(("last",), (x_ND,)), labels, classes=NAMES, weights=weights, n_threads=1)


def standardised(x_ND: np.ndarray) -> np.ndarray:
    return np.asarray((x_ND - x_ND.mean(axis=0)) / x_ND.std(axis=0))


def test_a_logistic_head_with_balanced_classes_is_scikit_learns() -> None:
    x, codes = uneven()
    weights = compute_sample_weight("balanced", codes)
    reduced = reduce(x, standardiser(x))
    tried = TriedHead((0,), "logistic", 0.02, 0.0, 0.0, 0.0, 1.0, np.zeros((0, 3)))
    head = LOGISTIC.fit(tried, reduced, codes, Targets(CLASSIFICATION, NAMES), weights)
    own = LogisticRegression(C=1 / (0.02 * len(x)), class_weight="balanced", tol=1e-8, max_iter=5000)
    own.fit(standardised(x), codes)
    np.testing.assert_allclose(head.outputs(x), own.predict_proba(standardised(x)), atol=2e-3)
    plain = LOGISTIC.fit(tried, reduced, codes, Targets(CLASSIFICATION, NAMES))
    assert np.abs(head.outputs(x) - plain.outputs(x)).max() > 0.1, "the weights must matter here"


def test_a_ridge_head_with_balanced_classes_is_scikit_learns() -> None:
    x, codes = uneven()
    weights, reduced = compute_sample_weight("balanced", codes), reduce(x, standardiser(x))
    penalty = 3.0 / (float(reduced.variance.sum()) * len(x))
    tried = TriedHead((0,), "ridge", penalty, 0.0, 0.0, 0.0, 1.0, np.zeros((0, 3)))
    head = RIDGE.fit(tried, reduced, codes, Targets(CLASSIFICATION, NAMES), weights)
    own = RidgeClassifier(alpha=3.0, class_weight="balanced").fit(standardised(x), codes)
    # scikit-learn's targets are -1 and 1, ours 0 and 1
    np.testing.assert_allclose(2 * head.logits(x) - 1, own.decision_function(standardised(x)), atol=2e-3)


@pytest.mark.parametrize("name", ["ridge", "logistic"])
def test_whole_weights_are_repeated_items(name: str) -> None:
    x, codes = uneven()
    counts = np.random.default_rng(1).integers(1, 4, len(x))
    reduced, targets, kind = reduce(x, standardiser(x)), Targets(CLASSIFICATION, NAMES), KINDS[name]
    tried = TriedHead((0,), name, 0.01, 0.0, 0.0, 0.0, 1.0, np.zeros((0, 3)))
    weighted = kind.fit(tried, reduced, codes, targets, counts / counts.mean())
    streamed = kind.fit_streamed(tried, reduced, x, codes, targets, counts / counts.mean())
    rows = np.repeat(np.arange(len(x)), counts)
    same = type(reduced)(reduced.standardiser, reduced.axes, reduced.variance, reduced.z[rows])
    repeated = kind.fit(tried, same, codes[rows], targets)
    np.testing.assert_allclose(weighted.outputs(x), repeated.outputs(x), atol=2e-3)
    np.testing.assert_allclose(streamed.outputs(x), weighted.outputs(x), atol=3e-3)


def test_the_choice_counts_by_weights_and_the_temperature_does_not() -> None:
    x, codes = uneven()
    weights = compute_sample_weight("balanced", codes)
    choice = chosen(x, codes, weights)
    tried = choice.chosen
    answers = tried.logits.argmax(axis=1)
    assert tried.quality == pytest.approx(balanced_accuracy_score(codes, answers))
    assert tried.temperature == choice.head.temperature == fit_temperature(tried.logits, codes)
    outputs = softmax(tried.logits / tried.temperature)
    assert tried.loss == pytest.approx(log_loss(codes, outputs, sample_weight=weights), abs=1e-5)
    assert choice.profile[0].score == pytest.approx(balanced_accuracy_score(codes, answers), abs=0.2)
    plain = chosen(x, codes, None).chosen.logits.argmax(axis=1)
    assert (answers > 0).sum() > (plain > 0).sum(), "rare classes are answered more often"


def test_probabilities_have_the_least_log_loss_on_the_items_as_they_are() -> None:
    x, codes = uneven()
    tried = chosen(x, codes, compute_sample_weight("balanced", codes)).chosen
    losses = [
        log_loss(codes, softmax(tried.logits / (tried.temperature * factor))) for factor in (0.7, 1, 1.4)
    ]
    assert losses[1] == min(losses)


def test_equal_weights_change_nothing_but_rounding() -> None:
    x, codes = uneven()
    plain, equal = chosen(x, codes, None), chosen(x, codes, np.full(len(x), 7.0))
    assert equal.chosen.kind == plain.chosen.kind and equal.expected == pytest.approx(plain.expected)
    assert equal.standard_error == pytest.approx(plain.standard_error, rel=1e-6)
    np.testing.assert_allclose(equal.head.outputs(x), plain.head.outputs(x), atol=1e-4)


def test_a_quantity_takes_weights() -> None:
    x, _ = uneven()
    y = (x[:, 0] + 0.3 * np.random.default_rng(2).normal(size=len(x))).round(4)
    weights = np.where(np.arange(len(x)) % 2, 3.0, 1.0)
    labels = y.astype(str).astype(object)
    choice = choose_head(
        ArrayFeatures(("last",), (x,)), labels, task=REGRESSION, weights=weights, n_threads=1
    )
    values = choice.chosen.logits[:, 0]
    assert choice.chosen.quality == pytest.approx(r2_score(y, values, sample_weight=weights), abs=1e-5)


def test_a_kind_that_cannot_take_weights_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds_module.KINDS, "gaussian", GAUSSIAN)
    x, codes = uneven()
    labels = np.where(np.square(x[:, :2]).sum(axis=1) > 2, "out", "in").astype(object)
    features = ArrayFeatures(("last",), (x,))
    assert choose_head(features, labels, n_threads=1).chosen.kind == "gaussian"
    weighted = choose_head(features, labels, weights=1.0 + codes, n_threads=1)
    assert weighted.chosen.kind in ("ridge", "logistic")


def test_a_head_that_nothing_is_left_to_choose_takes_weights() -> None:
    x, _ = uneven()
    labels = np.array(["a", "b", "c"], dtype=object)
    features = ArrayFeatures(("last",), (x[:3],))
    plain = choose_head(features, labels).head
    weighted = choose_head(features, labels, weights=np.array([1.0, 1.0, 20.0])).head
    assert weighted.bias[2] > plain.bias[2] + 0.5
