"""Closed forms against refits that leave items out."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from headstart.heads.ridge import fit_ridge, leave_fold_out, penalty_path

from .labelled import indicators, labelled


def naive(z: np.ndarray, y: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Ridge with a free intercept by augmented least squares."""
    n_columns = z.shape[1]
    left = np.block(
        [[z, np.ones((len(z), 1))], [np.sqrt(penalty) * np.eye(n_columns), np.zeros((n_columns, 1))]]
    )
    right = np.concatenate([y, np.zeros((n_columns, y.shape[1]))])
    solution = np.linalg.lstsq(left, right, rcond=None)[0]
    return solution[:-1].T, solution[-1]


def case(n_items: int, width: int, n_classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_items, width)) + 1, indicators(rng.integers(0, n_classes, n_items), n_classes)


shapes = {
    "n_items": st.integers(3, 25),
    "width": st.integers(1, 30),
    "n_classes": st.integers(2, 4),
    "seed": st.integers(0, 99),
}


@settings(max_examples=25, deadline=None)
@given(**shapes)
def test_the_fit_is_the_least_squares_solution(n_items: int, width: int, n_classes: int, seed: int) -> None:
    z, y = case(n_items, width, n_classes, seed)
    for found, wanted in zip(fit_ridge(z, y, 0.7), naive(z, y, 0.7)):
        assert np.allclose(found, wanted, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(**shapes)
def test_leave_fold_out_equals_refits(n_items: int, width: int, n_classes: int, seed: int) -> None:
    z, y = case(n_items, width, n_classes, seed)
    folds = np.arange(n_items) % 3
    found = leave_fold_out(z, y, folds, np.array([2.0]))[0]
    for fold in range(3):
        weight, bias = naive(z[folds != fold], y[folds != fold], 2.0)
        assert np.allclose(found[folds == fold], z[folds == fold] @ weight.T + bias, atol=1e-5)


def test_the_path_is_positive_and_falls_even_for_constant_features() -> None:
    for z in (np.zeros((4, 2)), np.ones((4, 2))):
        path = penalty_path(z)
        assert (path > 0).all() and (np.diff(path) < 0).all()


def test_a_quantity_by_ridge_is_scikit_learns() -> None:
    x, _ = labelled()
    y = (500 + 30 * x[:, :1] + np.random.default_rng(1).normal(size=(150, 1))).astype(np.float64)
    weight, bias = fit_ridge(x, y, 2.0)
    own = Ridge(alpha=2.0).fit(x, y[:, 0])
    assert np.allclose(weight[0], own.coef_, atol=1e-3) and np.isclose(bias[0], own.intercept_, atol=1e-3)
    alone = leave_fold_out(x, y, (np.arange(150) == 7).astype(int), np.array([2.0]))[0, 7, 0]
    without = Ridge(alpha=2.0).fit(np.delete(x, 7, axis=0), np.delete(y[:, 0], 7))
    assert np.isclose(alone, without.predict(x[7:8])[0], atol=1e-3)


def test_whole_weights_are_repeated_rows_and_folds_are_refits() -> None:
    z, y = case(24, 5, 3, 0)
    counts = np.random.default_rng(0).integers(0, 3, 24)
    rows = np.repeat(np.arange(24), counts)
    for found, wanted in zip(fit_ridge(z, y, 0.7, counts), naive(z[rows], y[rows], 0.7)):
        assert np.allclose(found, wanted, atol=1e-8)
    folds = np.arange(24) % 3
    found = leave_fold_out(z, y, folds, np.array([2.0]), counts)[0]
    for fold in range(3):
        kept = rows[folds[rows] != fold]
        weight, bias = naive(z[kept], y[kept], 2.0)
        assert np.allclose(found[folds == fold], z[folds == fold] @ weight.T + bias, atol=1e-5)


def test_a_fold_that_holds_all_the_weight_leaves_finite_predictions() -> None:
    z, y = case(12, 3, 2, 0)
    folds = np.arange(12) % 3
    assert np.isfinite(leave_fold_out(z, y, folds, np.array([1.0]), np.where(folds == 0, 1.0, 0.0))).all()
