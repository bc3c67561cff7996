"""A linear layer on the labelled source items and on what it predicts for the target items.

    minimise  sum_i v_i -log softmax(W x_i + b)_{y_i} / sum_i v_i  +  (l / 2) |W|^2  +  w loss(logits of the target)

over source items i with weights v_i. The first two terms are logistic regression, whose solution is the start. The
third is not convex, so the result is the minimum that lies downhill from there, always the same one.

L-BFGS needs few steps if the curvature is alike in all directions. That of logistic regression is at most
H = (1 - 1 / C) / 2 X'X / N + l (Boehning 1992); with H = L L', the weights are sought as W = V L^-1. Wide features are
rotated onto the axes that the items of both domains span, which changes no inner product.

Legend: N source items, M target items, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from headstart.adapt.domains import Domains
from headstart.heads.reduce import Rotation, reduce, standardiser

TargetLoss = Callable[[Tensor], Tensor]
"""From the logits of target items, of shape (M, C), to one number."""
START_STEPS, STEPS = 40, 40
HISTORY = 10


def learn_with_target(
    domains: Domains, target_loss: TargetLoss, weight: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Learn weights of shape (C, D) and biases of shape (C,), float32.

    Args:
        domains: in one space.
        target_loss: of the target's logits; differentiable.
        weight: w above.
    """
    rotation, source_NR, target_MR = _rotated(domains)
    problem = _Problem(
        torch.from_numpy(source_NR),
        torch.from_numpy(target_MR),
        torch.from_numpy(domains.codes_N),
        torch.from_numpy(domains.weights_N.astype(np.float32)),
        domains.n_classes,
        domains.penalty,
    )
    start = problem.minimise(torch.zeros(problem.shape), START_STEPS)
    weight_CR, bias_C = problem.unpacked(
        problem.minimise(start, STEPS, lambda logits_MC: weight * target_loss(logits_MC))
    )
    weight_CD = rotation.weights(weight_CR)
    return weight_CD, (bias_C - weight_CD @ rotation.standardiser.mean).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Problem:
    """The loss of a linear layer and its minimum; weights and biases are rows of one (R + 1, C) matrix.

    Attributes:
        source_NR, target_MR: features, centred.
        codes_N: classes of the source items.
        weights_N: of the source items, mean 1.
        n_classes: C.
        penalty: l above.
    """

    source_NR: Tensor
    target_MR: Tensor
    codes_N: Tensor
    weights_N: Tensor
    n_classes: int
    penalty: float

    @property
    def shape(self) -> tuple[int, int]:
        """Of what is sought."""
        return self.source_NR.shape[1] + 1, self.n_classes

    @cached_property
    def _factor(self) -> Tensor:
        """L', upper triangular: of H for the weights, and of the bias alone.

        H is singular but for l, if features depend on each other: rounding can then make it not positive. More on its
        diagonal changes the steps, not the minimum.
        """
        bound = 0.5 * (1 - 1 / max(self.n_classes, 2))
        width = self.source_NR.shape[1]
        curvature = torch.zeros(width + 1, width + 1)
        curvature[:-1, :-1] = self.source_NR.T @ self.source_NR * (bound / len(self.source_NR))
        ridge = max(self.penalty, 1e-6 * float(curvature.diagonal().mean()))
        factor: Tensor
        for more in range(6):
            curvature.diagonal().add_(ridge * 10.0**more)
            curvature[-1, -1] = bound
            factor, fault = torch.linalg.cholesky_ex(curvature, upper=True)
            if not fault:
                return factor
        return curvature.diagonal().clamp(min=ridge).sqrt().diag()

    def _weights(self, sought: Tensor) -> Tensor:
        weights: Tensor = torch.linalg.solve_triangular(self._factor, sought, upper=True)
        return weights

    def unpacked(self, sought: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return weights of shape (C, R) and biases of shape (C,)."""
        found = self._weights(sought).T.contiguous().numpy()
        return np.ascontiguousarray(found[:, :-1]), found[:, -1].copy()

    def minimise(self, start: Tensor, n_steps: int, target_term: TargetLoss | None = None) -> Tensor:
        """Return what is sought after at most `n_steps` steps from a start.

        A search over logits in the millions (a target thousands of deviations away) can overflow; then it is the start.
        """
        sought = start.clone().requires_grad_(True)
        optimiser = torch.optim.LBFGS(
            [sought],
            max_iter=n_steps,
            tolerance_grad=1e-4,
            tolerance_change=1e-7,
            history_size=HISTORY,
            line_search_fn="strong_wolfe",
        )

        def loss() -> Tensor:
            optimiser.zero_grad()
            weight = self._weights(sought)
            logits = torch.addmm(weight[-1], self.source_NR, weight[:-1])
            losses = functional.cross_entropy(logits, self.codes_N, reduction="none")
            value = (self.weights_N * losses).mean() + 0.5 * self.penalty * weight[:-1].square().sum()
            if target_term is not None:
                value = value + target_term(torch.addmm(weight[-1], self.target_MR, weight[:-1]))
            value.backward()  # type: ignore[no-untyped-call, unused-ignore]
            return value

        optimiser.step(loss)  # type: ignore[no-untyped-call, unused-ignore]
        found = sought.detach()
        return found if bool(torch.isfinite(found).all()) else start


def _rotated(domains: Domains) -> tuple[Rotation, NDArray[np.float32], NDArray[np.float32]]:
    """Centre both domains by the source; rotate them if they have more features than items."""
    n_items, width = len(domains.source_ND) + len(domains.target_MD), domains.source_ND.shape[1]
    centred = standardiser(domains.source_ND, "none")
    if width <= n_items:
        rotation = Rotation(centred, np.eye(width, dtype=np.float32), np.ones(width))
        return rotation, centred.apply(domains.source_ND), centred.apply(domains.target_MD)
    reduced = reduce(np.concatenate([domains.source_ND, domains.target_MD]), centred)
    n_source = len(domains.source_ND)
    return reduced, reduced.z[:n_source], reduced.z[n_source:]
