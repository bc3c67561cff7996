"""Fit a correction of a model's probabilities to labelled items: temperature scaling, with or without biases.

    minimise over a = 1 / T and b:  sum_i -log p_i(truth) + RIDGE / 2 ((a - 1)^2 + |b|^2)
    p = softmax or sigmoid of a scores + b

Without b it is temperature scaling (Guo et al. 2017, "On calibration of modern neural networks"); with b it is
bias-corrected temperature scaling (Alexandari, Kundaje and Shrikumar 2020, "Maximum likelihood with bias-corrected
calibration is hard-to-beat at label shift adaptation"), which is also right where only the shares of the classes have
changed; of labels it is Platt scaling (1999) with one slope for all. The ridge draws both towards no correction, so
that few items change little and a perfect separation does not make the model infinitely sure; it counts as much as
about one item. The loss is convex.

A class that no item has says nothing about its bias. The softmax of the others is fitted then: it does not change if
all their biases rise together, so the ridge keeps their sum at 0. The class keeps the bias 0 and, but for the
temperature, its odds against the others on average; it would all but vanish if they could rise to make room for the
items that it does not have. A label that none or all items have keeps the bias 0 too.

Legend: N items, C outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.heads.correction import Correction, Float
from headstart.tasks import Task

RIDGE = 1.0
LEAST_SLOPE = 1e-3  # a model that says the opposite of the truth is made to say almost nothing


def fit_correction(
    task: Task,
    scores_NC: NDArray[np.floating],
    targets: NDArray[Any],
    *,
    with_biases: bool,
    start: Correction | None = None,
) -> Correction:
    """Return the correction with the least penalised loss.

    Args:
        task: classes or labels.
        scores_NC: as `scores_of` gives them, of shape (N, C).
        targets: class numbers of shape (N,), or 0 and 1 of shape (N, C).
        with_biases: whether outputs get biases; else only a temperature is fitted.
        start: where to begin; None: no correction.
    """
    from scipy.optimize import minimize

    scores, n_outputs = np.asarray(scores_NC, dtype=np.float64), scores_NC.shape[1]
    start, truth = start or Correction.none(n_outputs), indicators(targets, n_outputs)
    free = occurring(task, targets, n_outputs) if with_biases else np.zeros(n_outputs, dtype=bool)
    compared = free if with_biases and task.one_per_item else np.ones(n_outputs, dtype=bool)
    scores, truth, within = scores[:, compared], truth[:, compared], free[compared]
    summed = _sigmoid_loss if task.many_per_item else _softmax_loss

    def loss(found: Float) -> tuple[float, Float]:
        value, residual_NC = summed(found[0] * scores + _spread(found[1:], within), truth)
        gradient = np.concatenate([[(residual_NC * scores).sum()], residual_NC.sum(axis=0)[within]])
        moved = np.concatenate([[found[0] - 1], found[1:]])
        return value + RIDGE / 2 * float(moved @ moved), gradient + RIDGE * moved

    found = minimize(
        loss,
        np.concatenate([[1 / start.temperature], start.bias_C[free]]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(LEAST_SLOPE, None), *[(None, None)] * int(free.sum())],
        options={"ftol": 1e-10, "gtol": 1e-6},
    )
    return Correction(1 / float(found.x[0]), _spread(found.x[1:], free))


def occurring(task: Task, targets: NDArray[Any], n_outputs: int) -> NDArray[np.bool_]:
    """Return which outputs the items say something about, of shape (C,).

    Args:
        task: classes or labels.
        targets: class numbers of shape (N,), or 0 and 1 of shape (N, C).
        n_outputs: C.
    """
    shares = indicators(targets, n_outputs).mean(axis=0)
    return np.asarray((shares > 0) & (shares < 1) if task.many_per_item else shares > 0)


def indicators(targets: NDArray[Any], n_outputs: int) -> Float:
    """Return 1 where an item has a class or label, else 0, of shape (N, C).

    Args:
        targets: class numbers of shape (N,), or 0 and 1 of shape (N, C).
        n_outputs: C.
    """
    if targets.ndim == 2:
        return np.asarray(targets, dtype=np.float64)
    return np.asarray(np.arange(n_outputs) == targets[:, None], dtype=np.float64)


def _spread(values: Float, places: NDArray[np.bool_]) -> Float:
    """Values at their places, 0 at the others."""
    found = np.zeros(len(places))
    found[places] = values
    return found


def _softmax_loss(scores_NC: Float, truth_NC: Float) -> tuple[float, Float]:
    """The sum of the losses, and its derivative by the scores."""
    shifted = scores_NC - scores_NC.max(axis=1, keepdims=True)
    p_NC = np.exp(shifted)
    sums = p_NC.sum(axis=1, keepdims=True)
    p_NC /= sums
    value = float(np.log(sums).sum() - (truth_NC * shifted).sum())
    return value, p_NC - truth_NC


def _sigmoid_loss(scores_NC: Float, truth_NC: Float) -> tuple[float, Float]:
    from scipy.special import expit

    value = float((np.logaddexp(0.0, scores_NC) - truth_NC * scores_NC).sum())
    return value, expit(scores_NC) - truth_NC
