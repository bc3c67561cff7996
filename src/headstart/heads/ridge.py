"""Ridge regression onto class indicators or values, with exact leave-fold-out predictions.

For each penalty l: minimise sum_i |y_i - b - W z_i|^2 + l |W|^2 with the intercept b free of penalty and
y_ic = 1 for the item's class, else 0 (one against rest). A left-out fold is refitted in closed form by taking its
part off the sums, so no prediction is approximate. Use it for the profile and as a fast, robust head; its
outputs are not probabilities until a temperature is fitted. Any other y (labels, a quantity) is handled in the
same way.

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

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
CHUNK = 16384


def penalty_path(z_NR: NDArray[np.floating], n_penalties: int = 9) -> Float:
    """Return penalties from strong to weak, 10^-0.5 to 10^-5.5 times the trace of the Gram matrix.

    No eigenvalue of the Gram matrix is larger than its trace, so a larger penalty leaves nothing to learn.
    """
    total = float(np.einsum("nr,nr->", z_NR, z_NR, dtype=np.float64))
    return np.asarray(max(total, 1e-12) * np.logspace(-0.5, -5.5, n_penalties))


def gram(z_NR: NDArray[np.floating]) -> Float:
    """Return z.T @ z, products in the precision of z, summed as float64 over chunks."""
    total = np.zeros((z_NR.shape[1], z_NR.shape[1]))
    for start in range(0, len(z_NR), CHUNK):
        block = z_NR[start : start + CHUNK]
        total += block.T @ block
    return total


def fit_ridge(z_NR: NDArray[np.floating], y_NC: Float, penalty: float) -> tuple[Float, Float]:
    """Fit one penalty on all rows.

    Returns:
        Weights of shape (C, R) and intercepts of shape (C,), float64.
    """
    n_items = len(z_NR)
    mean_z = z_NR.mean(axis=0, dtype=np.float64)
    mean_y = y_NC.mean(axis=0)
    matrix = gram(z_NR) - n_items * np.outer(mean_z, mean_z)
    right = _right(z_NR, y_NC) - n_items * np.outer(mean_z, mean_y)
    weight = solve(matrix, penalty, right).T
    return weight, mean_y - weight @ mean_z


def leave_fold_out(
    z_NR: NDArray[np.floating], y_NC: Float, folds: NDArray[np.integer], penalties: Float
) -> NDArray[np.float32]:
    """Return predictions of each item by the ridge fitted without its fold, of shape (P, N, C), float32.

    Args:
        z_NR: features of shape (N, R).
        y_NC: indicators of shape (N, C).
        folds: fold of each item, of shape (N,).
        penalties: of shape (P,).
    """
    out = np.empty((len(penalties), *y_NC.shape), dtype=np.float32)
    for rows, position, predictions in fold_predictions(z_NR, y_NC, folds, penalties):
        out[position, rows] = predictions
    return out


def fold_predictions(
    z_NR: NDArray[np.floating], y_NC: Float, folds: NDArray[np.integer], penalties: Float
) -> Iterator[tuple[NDArray[np.intp], int, Float]]:
    """Yield, fold by fold and penalty by penalty, the fold's rows, the penalty's position, the predictions.

    Args:
        z_NR: features of shape (N, R).
        y_NC: indicators of shape (N, C).
        folds: fold of each item, of shape (N,).
        penalties: of shape (P,).
    """
    total, total_right = gram(z_NR), _right(z_NR, y_NC)
    sum_z, sum_y = z_NR.sum(axis=0, dtype=np.float64), y_NC.sum(axis=0)
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        n_kept = len(z_NR) - len(rows)
        held, held_y = z_NR[rows], y_NC[rows]
        mean_z = (sum_z - held.sum(axis=0, dtype=np.float64)) / n_kept
        mean_y = (sum_y - held_y.sum(axis=0)) / n_kept
        matrix = total - gram(held) - n_kept * np.outer(mean_z, mean_z)
        right = total_right - _right(held, held_y) - n_kept * np.outer(mean_z, mean_y)
        for position, penalty in enumerate(penalties):
            weight = solve(matrix, penalty, right)
            yield rows, position, held @ weight.astype(held.dtype) + (mean_y - mean_z @ weight)


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
