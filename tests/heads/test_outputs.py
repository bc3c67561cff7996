"""Heads of labels and quantities: closed forms, scikit-learn's fits, and the torch form."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, Ridge

from headstart.heads.calibrate import fit_temperature, log_loss_of
from headstart.heads.linear import LinearHead
from headstart.heads.logistic import fit_logistic, logistic_path
from headstart.heads.reduce import reduce, standardiser
from headstart.heads.ridge import fit_ridge, leave_one_out
from headstart.heads.streamed import fit_logistic_streamed
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION, Task


def labelled(n_items: int = 150, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, 6) and three labels that depend on them, one rare."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_items, 6)).astype(np.float32)
    y = (x[:, :3] + 0.7 * rng.normal(size=(n_items, 3)) > [0.0, 0.5, 1.5]).astype(np.float32)
    return x, y


@pytest.mark.parametrize("task", [CLASSIFICATION, MULTILABEL])
@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_probabilities_before_scaling_are_had_again(task: Task, temperature: float) -> None:
    scores = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32) * 3
    after = task.activated(scores, temperature)
    given = np.full((40, 1), temperature)
    np.testing.assert_allclose(task.unscaled(after, given), task.activated(scores), atol=2e-4)


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


def test_a_quantity_by_ridge_is_scikit_learns() -> None:
    x, _ = labelled()
    y = (500 + 30 * x[:, :1] + np.random.default_rng(1).normal(size=(150, 1))).astype(np.float64)
    weight, bias = fit_ridge(x, y, 2.0)
    own = Ridge(alpha=2.0).fit(x, y[:, 0])
    assert np.allclose(weight[0], own.coef_, atol=1e-3) and np.isclose(bias[0], own.intercept_, atol=1e-3)
    alone = leave_one_out(x, y, np.array([2.0]))[0, 7, 0]
    without = Ridge(alpha=2.0).fit(np.delete(x, 7, axis=0), np.delete(y[:, 0], 7))
    assert np.isclose(alone, without.predict(x[7:8])[0], atol=1e-3)


@pytest.mark.parametrize("task", [CLASSIFICATION, MULTILABEL, REGRESSION])
def test_the_torch_form_says_the_same(task: Task) -> None:
    rng = np.random.default_rng(0)
    n_outputs = 1 if task == REGRESSION else 3
    head = LinearHead(
        (0,),
        rng.normal(size=5).astype(np.float32),
        np.ones(5, np.float32),
        rng.normal(size=(n_outputs, 5)).astype(np.float32),
        rng.normal(size=n_outputs).astype(np.float32),
        1.0 if task == REGRESSION else 1.7,
        tuple("abc"[:n_outputs]),
        task,
    )
    x = rng.normal(size=(9, 5)).astype(np.float32)
    assert np.allclose(head.module()(torch.from_numpy(x)).detach().numpy(), head.outputs(x), atol=1e-6)
    assert len(head.predict(x)) == 9
    moved = head.rescaled(10.0, 3.0)
    assert np.allclose(moved.logits(x), 10 + 3 * head.logits(x), atol=1e-4)


@given(
    factor=st.floats(0.2, 20.0),
    seed=st.integers(0, 20),
)
@settings(max_examples=25, deadline=None)
def test_the_temperature_of_labels_takes_back_what_scores_were_multiplied_by(
    factor: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(300, 4)) * 2
    y = (rng.random((300, 4)) < 1 / (1 + np.exp(-true))).astype(np.float32)
    one, other = fit_temperature(true, y), fit_temperature(true * factor, y)
    assert np.isclose(other, one * factor, rtol=1e-2) and 0.6 < one < 1.6
    assert log_loss_of(true / one, y) <= log_loss_of(true, y) + 1e-3


def test_losses_and_quality_against_scikit_learn() -> None:
    from sklearn.metrics import accuracy_score, d2_log_loss_score, log_loss, r2_score

    rng = np.random.default_rng(3)
    _, y = labelled()
    p = MULTILABEL.activated(rng.normal(size=y.shape))
    losses = MULTILABEL.item_losses(p, y)
    wanted = np.mean([log_loss(y[:, c], p[:, c].astype(float), labels=[0, 1]) for c in range(3)])
    assert np.isclose(losses.mean(), wanted, atol=1e-6)
    one = p[:, :1]
    assert np.isclose(
        MULTILABEL.item_quality(one, y[:, :1]).mean(), d2_log_loss_score(y[:, 0], one[:, 0]), atol=1e-5
    )
    values, guesses = rng.normal(size=(50, 1)), rng.normal(size=(50, 1))
    assert np.isclose(REGRESSION.item_quality(guesses, values).mean(), r2_score(values, guesses))
    codes, q = rng.integers(0, 3, 50), CLASSIFICATION.activated(rng.normal(size=(50, 3)))
    assert np.isclose(
        CLASSIFICATION.item_losses(q, codes).mean(), log_loss(codes, q.astype(float)), atol=1e-6
    )
    assert CLASSIFICATION.item_quality(q, codes).mean() == accuracy_score(codes, q.argmax(axis=1))
    assert np.allclose(MULTILABEL.constant(y, 3), y.mean(axis=0))
