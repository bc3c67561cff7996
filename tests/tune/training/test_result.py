"""The score of logits, and a temperature that stays honest on few items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from headstart.heads.calibrate import fit_temperature
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.activations import softmax
from headstart.tune import Recipe
from headstart.tune.objectives.supervised import weights_to_judge
from headstart.tune.objectives.validation import score


def drawn(n_items: int, scale: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose labels are drawn from their own softmax, then scaled."""
    random = np.random.default_rng(seed)
    logits = 2 * random.normal(size=(n_items, 4))
    labels = np.array([random.choice(4, p=p / p.sum()) for p in softmax(logits).astype(np.float64)])
    return scale * logits, labels


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_on_many_items_the_true_temperature_is_found(scale: float) -> None:
    assert fit_temperature(*drawn(4000, scale)) == pytest.approx(scale, rel=0.1)


@pytest.mark.parametrize("n_items", [6, 37, 300])
def test_without_a_fault_the_confidence_stays_below_what_the_items_can_tell(n_items: int) -> None:
    labels = np.arange(n_items) % 2
    logits = np.eye(2)[labels] * np.random.default_rng(0).uniform(1, 5, (n_items, 1))
    confidence = softmax(logits / fit_temperature(logits, labels)).max(axis=1).mean()
    assert 0.6 < confidence <= (n_items + 1) / (n_items + 2) + 1e-3


@settings(max_examples=30, deadline=None)
@given(st.floats(1e-3, 1e3), st.integers(0, 100))
def test_the_score_does_not_depend_on_the_scale_of_logits(scale: float, seed: int) -> None:
    logits, labels = drawn(40, 1.0, seed)
    one, other = score(logits, labels), score(scale * logits, labels)
    assert other.accuracy == one.accuracy
    assert other.log_loss == pytest.approx(one.log_loss, rel=1e-3)
    assert other.temperature == pytest.approx(scale * one.temperature, rel=1e-2)


def test_logits_that_say_nothing() -> None:
    found = score(np.zeros((4, 2)), np.array([0, 1, 0, 1]))
    assert found.temperature == 1.0 and found.log_loss == pytest.approx(np.log(2))


def test_a_probability_of_zero_is_a_finite_loss() -> None:
    assert CLASSIFICATION.item_losses(np.array([[0.0, 1.0]]), np.array([0]))[0] == pytest.approx(
        -np.log(1e-12)
    )


REBALANCED = ({"class_weights": True}, {"sampling": "balanced"}, {"logit_adjustment": 1.0})


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(REBALANCED), st.integers(0, 100))
def test_where_rare_classes_weigh_more_every_class_counts_the_same(rebalanced: dict, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.choice(4, p=[0.7, 0.2, 0.08, 0.02], size=80)
    logits = random.normal(size=(80, 4)) + 2 * np.eye(4)[labels]
    weights = weights_to_judge(Recipe(**rebalanced), labels)
    found = score(logits, labels, CLASSIFICATION, weights)
    assert found.quality == pytest.approx(balanced_accuracy_score(labels, logits.argmax(axis=1)))
    losses = CLASSIFICATION.item_losses(softmax(logits / found.temperature), labels)
    assert found.loss == pytest.approx(np.mean([losses[labels == code].mean() for code in np.unique(labels)]))


def test_without_such_a_setting_every_item_counts_the_same() -> None:
    assert weights_to_judge(Recipe(), np.arange(4)) is None
    assert weights_to_judge(Recipe(class_weights=True), np.arange(4.0)[:, None], REGRESSION) is None
