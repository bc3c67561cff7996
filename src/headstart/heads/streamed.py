"""A logistic or ridge head on more items than memory should hold: rows are read again at each step.

The rotation of `reduce` is applied to the weights instead of the rows, so each step costs two products of
the raw rows with (D, C) weights and nothing of size (N, D) is ever made.

Legend: N items, D features, R rank, C classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headstart.heads.logistic import Problem, unpacked
from headstart.heads.reduce import CHUNK, Rotation, Rows
from headstart.heads.ridge import Float, solve, weighted


class StreamedProblem(Problem):
    """One logistic regression on rows that are read in chunks."""

    def __init__(
        self,
        x_ND: Rows,
        labels: NDArray[Any],
        n_classes: int,
        rotation: Rotation,
        weights_N: NDArray[np.floating] | None = None,
    ) -> None:
        """Prepare the problem.

        Args:
            x_ND: raw features.
            labels: of shape (N,), or (N, C).
            n_classes: C.
            rotation: standardisation and axes of the same items.
            weights_N: of the items, of shape (N,); None: all the same.
        """
        self._prepare(labels, n_classes, np.zeros((0, len(labels)), dtype=bool), weights_N)
        self.n_rows = min(self.n_rows, CHUNK)
        self.x = x_ND
        self.axes = torch.from_numpy(rotation.axes)
        self.mean = torch.from_numpy(rotation.standardiser.mean)
        self.scale = torch.from_numpy(rotation.standardiser.scale)
        self.variance_R = torch.from_numpy(rotation.variance.astype(np.float32))

    def chunk(self, rows: slice) -> Tensor:
        """Return centred raw rows."""
        return torch.from_numpy(np.asarray(self.x[rows], dtype=np.float32)) - self.mean

    def to_chunk(self, w_RX: Tensor) -> Tensor:
        """Return weights on centred raw rows."""
        return torch.cat([(self.axes @ w_RX[:-1]) / self.scale[:, None], w_RX[-1:]])

    def from_chunk(self, gradient_RX: Tensor) -> Tensor:
        """Return the gradient in the rotated space."""
        return torch.cat([self.axes.T @ (gradient_RX[:-1] / self.scale[:, None]), gradient_RX[-1:]])


def fit_logistic_streamed(
    x_ND: Rows,
    labels: NDArray[Any],
    n_classes: int,
    rotation: Rotation,
    penalty: float,
    *,
    weights_N: NDArray[np.floating] | None = None,
    tolerance: float = 1e-4,
    max_steps: int = 100,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit one penalty on all rows; arguments and result as of `logistic.fit_logistic`, in rotated space."""
    problem = StreamedProblem(x_ND, labels, n_classes, rotation, weights_N)
    return unpacked(problem.solve(penalty, None, tolerance=tolerance, max_steps=max_steps))


def fit_ridge_streamed(
    x_ND: Rows,
    y_NC: Float,
    rotation: Rotation,
    penalty: float,
    weights_N: NDArray[np.floating] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit ridge on all rows from sums over chunks; arguments and result as of `ridge.fit_ridge`.

    Args:
        x_ND: raw features of shape (N, D).
        y_NC: indicators or values of shape (N, C).
        rotation: standardisation and axes, of these items or of a sample of them.
        penalty: on the sum of squares.
        weights_N: of the items in that sum, of shape (N,); None: 1 each.

    Returns:
        Weights of shape (C, R) and intercepts of shape (C,), float32.
    """
    rank, w_N = len(rotation.variance), np.ones(len(y_NC)) if weights_N is None else np.asarray(weights_N)
    n_items = float(w_N.sum())
    matrix, right = np.zeros((rank, rank)), np.zeros((rank, y_NC.shape[1]))
    sum_z = np.zeros(rank)
    for start in range(0, len(y_NC), CHUNK):
        rows = slice(start, start + CHUNK)
        z = rotation.apply(np.asarray(x_ND[rows]))
        own = z if weights_N is None else weighted(z, w_N[rows])
        matrix += own.T @ z
        right += own.T @ y_NC[rows]
        sum_z += own.sum(axis=0, dtype=np.float64)
    mean_z, mean_y = sum_z / n_items, weighted(y_NC, w_N).sum(axis=0) / n_items
    matrix -= n_items * np.outer(mean_z, mean_z)
    right -= n_items * np.outer(mean_z, mean_y)
    weight = solve(matrix, penalty, right).T
    return weight.astype(np.float32), (mean_y - weight @ mean_z).astype(np.float32)
