"""Ridge regression onto class indicators or values, with exact leave-fold-out predictions.

For each penalty l: minimise sum_i w_i |y_i - b - W z_i|^2 + l |W|^2 with the intercept b free of penalty, y_ic = 1
for the item's class, else 0 (one against rest), and w_i the weight of the item, 1 if none is given. A left-out fold is
refitted in closed form by taking its part off the sums, so no prediction is approximate. Use it for the profile and as
a fast, robust head; its outputs are not probabilities until a temperature is fitted. Any other y (labels, a quantity)
is handled in the same way.

Legend: N items, R columns of z (centred, from `reduce`), C classes, P penalties, K folds.

Example:
    >>> import numpy as np
    >>> z = np.random.default_rng(0).normal(size=(30, 4)); z -= z.mean(0)
    >>> y = np.eye(2)[(z[:, 0] > 0).astype(int)]
    >>> leave_fold_out(z, y, np.arange(30) % 3, penalty_path(z, 3)).shape
    (3, 30, 2)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
CHUNK = 16384
TINY = 1e-9


def penalty_path(z_NR: NDArray[np.floating], n_penalties: int = 9) -> Float:
    """Return penalties from strong to weak, 10^-0.5 to 10^-5.5 times the trace of the Gram matrix.

    No eigenvalue of the Gram matrix is larger than its trace, so a larger penalty leaves nothing to learn.
    """
    total = float(np.einsum("nr,nr->", z_NR, z_NR, dtype=np.float64))
    return np.asarray(max(total, 1e-12) * np.logspace(-0.5, -5.5, n_penalties))


def gram(z_NR: NDArray[np.floating], weights_N: Float | None = None) -> Float:
    """Return the weighted z.T @ z, products in the precision of z, summed as float64 over chunks."""
    total = np.zeros((z_NR.shape[1], z_NR.shape[1]))
    for start in range(0, len(z_NR), CHUNK):
        block = z_NR[start : start + CHUNK]
        total += block.T @ weighted(block, None if weights_N is None else weights_N[start : start + CHUNK])
    return total


def weighted(values_NX: NDArray[Any], weights_N: NDArray[np.floating] | None) -> NDArray[Any]:
    """Return rows times their weights, in the precision of the rows; without weights the rows themselves."""
    return values_NX if weights_N is None else values_NX * weights_N[:, None].astype(values_NX.dtype)


def fit_ridge(
    z_NR: NDArray[np.floating], y_NC: Float, penalty: float, weights_N: NDArray[np.floating] | None = None
) -> tuple[Float, Float]:
    """Fit one penalty on all rows.

    Args:
        z_NR: features of shape (N, R).
        y_NC: indicators or values of shape (N, C).
        penalty: on the sum of squares.
        weights_N: of the items in that sum, of shape (N,), at least 0; None: 1 each.

    Returns:
        Weights of shape (C, R) and intercepts of shape (C,), float64.
    """
    w_N = None if weights_N is None else np.asarray(weights_N, dtype=np.float64)
    n_items = _count(len(z_NR), w_N)
    mean_z, mean_y = _sum(z_NR, w_N) / n_items, _sum(y_NC, w_N) / n_items
    matrix = gram(z_NR, w_N) - n_items * np.outer(mean_z, mean_z)
    right = _right(z_NR, weighted(y_NC, w_N)) - n_items * np.outer(mean_z, mean_y)
    weight = solve(matrix, penalty, right).T
    return weight, mean_y - weight @ mean_z


def leave_fold_out(
    z_NR: NDArray[np.floating],
    y_NC: Float,
    folds: NDArray[np.integer],
    penalties: Float,
    weights_N: NDArray[np.floating] | None = None,
) -> NDArray[np.float32]:
    """Return predictions of each item by the ridge fitted without its fold, of shape (P, N, C), float32.

    Args:
        z_NR: features of shape (N, R).
        y_NC: indicators of shape (N, C).
        folds: fold of each item, of shape (N,).
        penalties: of shape (P,).
        weights_N: of the items in the sum of squares, of shape (N,); None: 1 each.
    """
    out = np.empty((len(penalties), *y_NC.shape), dtype=np.float32)
    for rows, position, predictions in fold_predictions(z_NR, y_NC, folds, penalties, weights_N):
        out[position, rows] = predictions
    return out


def fold_predictions(
    z_NR: NDArray[np.floating],
    y_NC: Float,
    folds: NDArray[np.integer],
    penalties: Float,
    weights_N: NDArray[np.floating] | None = None,
) -> Iterator[tuple[NDArray[np.intp], int, Float]]:
    """Yield, fold by fold and penalty by penalty, the fold's rows, the penalty's position, the predictions.

    Args:
        z_NR: features of shape (N, R).
        y_NC: indicators of shape (N, C).
        folds: fold of each item, of shape (N,).
        penalties: of shape (P,).
        weights_N: of the items in the sum of squares, of shape (N,); None: 1 each.
    """
    w_N = None if weights_N is None else np.asarray(weights_N, dtype=np.float64)
    total, total_right = gram(z_NR, w_N), _right(z_NR, weighted(y_NC, w_N))
    sum_z, sum_y = _sum(z_NR, w_N), _sum(y_NC, w_N)
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        held, held_y, held_w = z_NR[rows], y_NC[rows], None if w_N is None else w_N[rows]
        n_kept = _count(len(z_NR), w_N) - _count(len(rows), held_w)
        n_kept = max(n_kept, TINY)  # a fold may hold all the weight
        mean_z = (sum_z - _sum(held, held_w)) / n_kept
        mean_y = (sum_y - _sum(held_y, held_w)) / n_kept
        matrix = total - gram(held, held_w) - n_kept * np.outer(mean_z, mean_z)
        right = total_right - _right(held, weighted(held_y, held_w)) - n_kept * np.outer(mean_z, mean_y)
        for position, penalty in enumerate(penalties):
            weight = solve(matrix, penalty, right)
            yield rows, position, held @ weight.astype(held.dtype) + (mean_y - mean_z @ weight)


def _count(n_items: int, weights_N: Float | None) -> float:
    return n_items if weights_N is None else float(weights_N.sum())


def _sum(values_NX: NDArray[np.floating], weights_N: Float | None) -> Float:
    if weights_N is None:
        return np.asarray(values_NX.sum(axis=0, dtype=np.float64))
    return np.asarray(np.einsum("n,nx->x", weights_N, values_NX, dtype=np.float64))


def _right(z_NR: NDArray[np.floating], y_NC: Float) -> Float:
    """Return z.T @ y as float64, read in chunks."""
    total = np.zeros((z_NR.shape[1], y_NC.shape[1]))
    for start in range(0, len(z_NR), CHUNK):
        rows = slice(start, start + CHUNK)
        total += z_NR[rows].T @ y_NC[rows].astype(z_NR.dtype)
    return total


def solve(matrix: Float, penalty: float, right: Float) -> Float:
    """Solve (matrix + penalty I) x = right for a positive semi-definite matrix."""
    from scipy.linalg import cho_factor, cho_solve

    shifted = matrix.copy()
    shifted.flat[:: len(matrix) + 1] += penalty
    return np.asarray(cho_solve(cho_factor(shifted, overwrite_a=True, check_finite=False), right))
