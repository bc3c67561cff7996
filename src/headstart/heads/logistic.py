"""Logistic regression, multinomial or one per label, over a path of penalties and all folds at once.

For each fold and penalty l: minimise mean_i -log softmax(W z_i + b)_{y_i} + (l / 2) |W|^2 over the items
outside the fold, b free of penalty. In scikit-learn's terms l = 1 / (C n_train). If an item may have several
labels (y of shape (N, C), 0 and 1), the loss is the sum over the labels of -log sigmoid(+-(W z_i + b)_c),
which is one independent regression per label with that penalty. Where items have weights, the mean is a weighted
one. All folds are solved
together: their logits are columns of one matrix product. L-BFGS (Nocedal and Wright, Numerical
Optimization, algorithm 7.4) starts from the diagonal of Boehning's curvature bound (1992), which is exact
to a constant in the rotated features of `reduce`, so a few tens of products are enough.

Needs z from `reduce` (its columns are uncorrelated); on raw features it works, but slowly.

Legend: N items, R columns of z, C classes, K problems (folds), M history.

Example:
    >>> import numpy as np
    >>> z = np.random.default_rng(0).normal(size=(60, 4)).astype("float32"); z -= z.mean(0)
    >>> y = (z[:, 0] > 0).astype(int)
    >>> weight, bias = fit_logistic(z, y, 2, penalty=0.1)
    >>> weight.shape, bias.shape
    ((2, 4), (2,))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

HISTORY = 8
TINY = 1e-6  # a fold that no item is left for has no loss
CHUNK_CELLS = 8_000_000  # logits worked on at a time
FIT_TOLERANCE, FIT_STEPS = 1e-5, 300  # of a head that is returned
PATH_TOLERANCE, PATH_DISTANCE = 3e-3, 0.01  # of the fits of folds: the gradient at most, and over the penalty


def fit_logistic(
    z_NR: NDArray[np.floating],
    labels: NDArray[Any],
    n_classes: int,
    penalty: float,
    *,
    weights_N: NDArray[np.floating] | None = None,
    start: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None,
    tolerance: float = FIT_TOLERANCE,
    max_steps: int = FIT_STEPS,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit one penalty on all items.

    Args:
        z_NR: rotated features of shape (N, R).
        labels: class of each item, of shape (N,), or 0 and 1 of shape (N, C).
        n_classes: C.
        penalty: l above, per item.
        weights_N: of the items in the mean of the loss, of shape (N,), at least 0; None: all the same.
        start: weights (C, R) and biases (C,) to begin from.
        tolerance: largest absolute gradient at which to stop.
        max_steps: steps at most.

    Returns:
        Weights of shape (C, R) and biases of shape (C,), float32.
    """
    problem = Problem(z_NR, labels, n_classes, np.zeros((0, len(labels)), dtype=bool), weights_N)
    begin = None
    if start is not None:
        packed = np.concatenate([start[0], start[1][:, None]], axis=1).T
        begin = torch.from_numpy(np.ascontiguousarray(packed, dtype=np.float32))[:, None, :]
    return unpacked(problem.solve(penalty, begin, tolerance=tolerance, max_steps=max_steps))


def unpacked(solution_R1C: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weights (C, R) and biases (C,) of a single problem."""
    weight_CR = np.ascontiguousarray(solution_R1C[:, 0, :].T.numpy())
    return np.ascontiguousarray(weight_CR[:, :-1]), np.ascontiguousarray(weight_CR[:, -1])


def logistic_path(
    z_NR: NDArray[np.floating],
    labels: NDArray[Any],
    n_classes: int,
    folds: NDArray[np.integer],
    penalties: NDArray[np.floating],
    *,
    weights_N: NDArray[np.floating] | None = None,
    tolerance: float | None = None,
    max_steps: int = FIT_STEPS,
) -> Iterator[NDArray[np.float32]]:
    """Yield out-of-fold logits, of shape (N, C), for each penalty, from strong to weak, warm-started.

    The caller may stop early, when weaker penalties no longer help. A fit lies at most gradient / penalty from its
    solution, so the gradient at which it stops shrinks with the penalty, to that of the head that is returned: fits
    that stop sooner are regularised by that, so that a weak penalty would look better than it is.

    Args:
        z_NR: rotated features of shape (N, R).
        labels: class of each item, of shape (N,), or 0 and 1 of shape (N, C).
        n_classes: C.
        folds: fold of each item, of shape (N,).
        penalties: per item, in the order to try.
        weights_N: of the items in the mean of the loss, of shape (N,), at least 0; None: all the same.
        tolerance: largest absolute gradient at which to stop; None: by the penalty.
        max_steps: steps at most for each penalty.
    """
    names = np.unique(folds)
    held_KN = np.stack([folds == name for name in names])
    problem = Problem(z_NR, labels, n_classes, held_KN, weights_N)
    solution: Tensor | None = None
    for penalty in penalties:
        enough = tolerance or min(PATH_TOLERANCE, max(FIT_TOLERANCE, PATH_DISTANCE * float(penalty)))
        solution = problem.solve(float(penalty), solution, tolerance=enough, max_steps=max_steps)
        yield problem.held_out_logits(solution)


class Problem:
    """The losses of K logistic regressions that share their features and differ in the items left out."""

    def __init__(
        self,
        z_NR: NDArray[np.floating],
        labels: NDArray[Any],
        n_classes: int,
        held_KN: NDArray[np.bool_],
        weights_N: NDArray[np.floating] | None = None,
    ) -> None:
        """Prepare the problem.

        Args:
            z_NR: features of shape (N, R).
            labels: of shape (N,), or (N, C).
            n_classes: C.
            held_KN: True where item n is left out of problem k; no rows for one problem with all items.
            weights_N: of the items, of shape (N,); None: all the same.
        """
        self._prepare(labels, n_classes, held_KN, weights_N)
        self.z = torch.from_numpy(np.ascontiguousarray(z_NR, dtype=np.float32))
        self.variance_R = self.z.square().mean(dim=0)

    def _prepare(
        self,
        labels: NDArray[Any],
        n_classes: int,
        held_KN: NDArray[np.bool_],
        weights_N: NDArray[np.floating] | None = None,
    ) -> None:
        kept = ~held_KN if len(held_KN) else np.ones((1, len(labels)), dtype=bool)
        self.by_label = labels.ndim == 2
        self.labels = torch.from_numpy(labels.astype(np.float32 if self.by_label else np.int64))
        kept_NK = torch.from_numpy(np.ascontiguousarray(kept.T)).to(torch.float32)
        if weights_N is not None:
            kept_NK *= torch.from_numpy(np.asarray(weights_N / np.mean(weights_N), dtype=np.float32))[:, None]
        self.share_NK = kept_NK / kept_NK.sum(dim=0).clamp(min=TINY)
        self.held_KN = held_KN
        self.n_classes = n_classes
        self.n_rows = max(256, CHUNK_CELLS // (len(kept) * n_classes))

    def chunk(self, rows: slice) -> Tensor:
        """Return the features of some rows, as `value_and_gradient` multiplies them."""
        return self.z[rows]

    def to_chunk(self, w_RX: Tensor) -> Tensor:
        """Return weights (with the bias as last row) for the features that `chunk` gives."""
        return w_RX

    def from_chunk(self, gradient_RX: Tensor) -> Tensor:
        """Return the gradient in z from the gradient in the features that `chunk` gives."""
        return gradient_RX

    def value_and_gradient(self, w_RKC: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
        """Return losses of shape (K,) and their gradient of shape (R + 1, K, C); the last row is the bias."""
        n_columns, n_problems, n_classes = w_RKC.shape
        losses = torch.zeros(n_problems)
        flat = self.to_chunk(w_RKC.reshape(n_columns, -1))
        gradient = torch.zeros_like(flat)
        for begin in range(0, len(self.labels), self.n_rows):
            rows = slice(begin, begin + self.n_rows)
            x, share = self.chunk(rows), self.share_NK[rows]
            logits = torch.addmm(flat[-1], x, flat[:-1]).view(len(x), n_problems, n_classes)
            loss_NK, residual = self._losses(logits, self.labels[rows])
            losses += (loss_NK * share).sum(dim=0)
            residual *= share[:, :, None]
            gradient[:-1] += x.T @ residual.view(len(x), -1)
            gradient[-1] += residual.view(len(x), -1).sum(dim=0)
        out = self.from_chunk(gradient).reshape(w_RKC.shape)
        losses += 0.5 * penalty * w_RKC[:-1].square().sum(dim=(0, 2))
        out[:-1] += penalty * w_RKC[:-1]
        return losses, out

    def _losses(self, logits_NKC: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each item in each problem, of shape (N, K), and its gradient in the logits."""
        if self.by_label:
            truth = labels[:, None, :]
            loss = (torch.nn.functional.softplus(logits_NKC) - truth * logits_NKC).sum(dim=2)
            return loss, torch.sigmoid(logits_NKC) - truth
        log_p = torch.log_softmax(logits_NKC, dim=2)
        index = labels[:, None, None].expand(-1, logits_NKC.shape[1], 1)
        loss = -log_p.gather(2, index)[:, :, 0]
        residual = log_p.exp_()
        residual.scatter_add_(2, index, torch.full_like(index, -1, dtype=residual.dtype))
        return loss, residual

    def solve(self, penalty: float, start: Tensor | None, *, tolerance: float, max_steps: int) -> Tensor:
        """Return the weights of shape (R + 1, K, C) that minimise all losses, by L-BFGS."""
        shape = (len(self.variance_R) + 1, self.share_NK.shape[1], self.n_classes)
        w = torch.zeros(shape) if start is None else start.clone()
        bound = 0.5 if self.n_classes == 2 else 0.5 * (1 - 1 / self.n_classes)
        bound = 0.25 if self.by_label else bound
        curvature = torch.cat([bound * self.variance_R + penalty, torch.tensor([bound])])
        scale_R11 = (1.0 / curvature.clamp(min=1e-12))[:, None, None]
        loss, gradient = self.value_and_gradient(w, penalty)
        pairs: list[tuple[Tensor, Tensor, Tensor]] = []
        for _ in range(max_steps):
            if float(gradient.abs().max()) <= tolerance:
                break
            direction = -_two_loops(gradient, pairs, scale_R11)
            slope = _dot(direction, gradient)
            step = self._search(w, loss, direction, slope, penalty)
            if step is None:
                break
            new_w, new_loss, new_gradient = step
            difference, change = new_w - w, new_gradient - gradient
            product = _dot(difference, change)
            pairs.append((difference, change, torch.where(product > 1e-12, 1 / product, 0.0)))
            del pairs[:-HISTORY]
            w, loss, gradient = new_w, new_loss, new_gradient
        return w

    def _search(
        self, w: Tensor, loss: Tensor, direction: Tensor, slope: Tensor, penalty: float
    ) -> tuple[Tensor, Tensor, Tensor] | None:
        """Halve each problem's step until its loss falls enough; None if no loss can be lowered."""
        length = torch.ones_like(loss)
        for _ in range(12):
            new_w = w + length[None, :, None] * direction
            new_loss, gradient = self.value_and_gradient(new_w, penalty)
            slack = 1e-6 * loss.abs()  # float32 sums are no finer
            enough = new_loss <= loss + 1e-4 * length * slope + slack
            if bool(enough.all()):
                return new_w, new_loss, gradient
            length = torch.where(enough, length, length * 0.5)
        return None

    def held_out_logits(self, w_RKC: Tensor) -> NDArray[np.float32]:
        """Return, of shape (N, C), the logits of each item by the problem that left it out."""
        out = np.empty((len(self.labels), self.n_classes), dtype=np.float32)
        for problem, held in enumerate(self.held_KN):
            rows = torch.from_numpy(np.flatnonzero(held))
            out[held] = torch.addmm(w_RKC[-1, problem], self.z[rows], w_RKC[:-1, problem]).numpy()
        return out


def _dot(a_RKC: Tensor, b_RKC: Tensor) -> Tensor:
    """Return the inner product of each problem's tensors, of shape (K,)."""
    return (a_RKC * b_RKC).sum(dim=(0, 2))


def _two_loops(gradient: Tensor, pairs: list[tuple[Tensor, Tensor, Tensor]], scale_R11: Tensor) -> Tensor:
    """Apply the L-BFGS inverse curvature to the gradient; pairs with rho 0 are skipped."""
    q = gradient.clone()
    alphas = []
    for difference, change, rho in reversed(pairs):
        alpha = rho * _dot(difference, q)
        q -= alpha[None, :, None] * change
        alphas.append(alpha)
    q *= scale_R11
    if pairs:
        difference, change, rho = pairs[-1]
        ratio = _dot(difference, change) / _dot(change, change * scale_R11).clamp(min=1e-30)
        q *= torch.where(rho > 0, ratio, 1.0)[None, :, None]
    for (difference, change, rho), alpha in zip(pairs, reversed(alphas)):
        q += (alpha - rho * _dot(change, q))[None, :, None] * difference
    return q
