"""Calibration for label shift: one temperature and one bias per class, fitted on out-of-fold logits.

    minimise over a >= 0, b:  mean_i v_i sum_c -t_ic log softmax(a logits_i + b)_c

Bias-corrected temperature scaling (Alexandari, Kundaje and Shrikumar 2020, "Maximum likelihood with bias-corrected
calibration is hard-to-beat at label shift adaptation", section 3). At the minimum the mean probability of each class
is its share of the items, so that expectation maximisation finds no shift where there is none. A temperature alone
does not give that.

Labels t are smoothed as in `heads.calibrate`: else a perfect classifier would be infinitely sure. Newton's method; the
loss is convex.

Legend: N items, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from headstart.adapt.domains import Float

STEPS = 50
TOLERANCE = 1e-7


@dataclass(frozen=True, eq=False)
class Calibration:
    """What logits are multiplied by, and what is added then.

    Attributes:
        scale: a above, one over the temperature.
        bias_C: of shape (C,).
    """

    scale: float
    bias_C: Float

    def probabilities(self, logits_NC: NDArray[np.floating]) -> Float:
        """Return calibrated probabilities, of shape (N, C)."""
        return np.asarray(softmax(self.scale * np.asarray(logits_NC, dtype=np.float64) + self.bias_C, axis=1))


def calibrate(
    logits_NC: NDArray[np.floating],
    codes_N: NDArray[np.integer],
    weights_N: Float | None = None,
    start: Calibration | None = None,
) -> Calibration:
    """Fit scale and biases.

    Args:
        logits_NC: of items that were not learned from, of shape (N, C).
        codes_N: their classes, of shape (N,).
        weights_N: of the items, of shape (N,); None: all the same.
        start: where to begin; None: logits that are only brought to a spread of 1.

    Returns:
        Biases of mean 0; scale 0 if the logits say nothing about the classes.
    """
    logits = np.asarray(logits_NC, dtype=np.float64)
    n_items, n_classes = logits.shape
    logits = logits - logits.mean(axis=1, keepdims=True)
    spread = float(np.sqrt(np.square(logits).mean())) or 1.0
    logits = logits / spread
    weights = np.ones(n_items) if weights_N is None else np.asarray(weights_N, dtype=np.float64)
    weights = weights / weights.sum()
    truth = np.full((n_items, n_classes), 1 / (n_items + 2) / max(n_classes - 1, 1))
    truth[np.arange(n_items), codes_N] = (n_items + 1) / (n_items + 2)
    found = np.concatenate([[1.0], np.zeros(n_classes)])
    if start is not None:
        found = np.concatenate([[start.scale * spread], start.bias_C])
    found = _newton(logits, truth, weights, found)
    if found[0] < 0:  # worse than no logits at all
        found = _newton(np.zeros_like(logits), truth, weights, found * (np.arange(n_classes + 1) > 0))
    return Calibration(float(found[0] / spread), found[1:] - found[1:].mean())


def _newton(logits: Float, truth: Float, weights: Float, begin: Float) -> Float:
    """Return scale and biases, of shape (1 + C,); a step is halved until the loss falls."""
    found = begin
    loss = _loss(logits, truth, weights, found)
    for _ in range(STEPS):
        p = softmax(found[0] * logits + found[1:], axis=1)
        weighted = p * weights[:, None]
        residual = weighted - truth * weights[:, None]
        gradient = np.concatenate([[(residual * logits).sum()], residual.sum(axis=0)])
        if np.abs(gradient).max() < TOLERANCE:
            break
        step = np.linalg.solve(_curvature(logits, p, weighted), gradient)
        for length in 0.5 ** np.arange(20):
            new = found - length * step
            new_loss = _loss(logits, truth, weights, new)
            if new_loss <= loss:
                break
        else:
            break
        found, loss = new, new_loss
    return found


def _loss(logits: Float, truth: Float, weights: Float, found: Float) -> float:
    scores = found[0] * logits + found[1:]
    return float(weights @ (logsumexp(scores, axis=1) - (truth * scores).sum(axis=1)))


def _curvature(logits: Float, p: Float, weighted: Float) -> Float:
    """The Hessian, of shape (1 + C, 1 + C); the small ridge fixes the biases' common height."""
    n_classes = logits.shape[1]
    mean_N = (p * logits).sum(axis=1, keepdims=True)
    out = np.empty((n_classes + 1, n_classes + 1))
    out[0, 0] = (weighted * np.square(logits - mean_N)).sum()
    out[0, 1:] = out[1:, 0] = (weighted * (logits - mean_N)).sum(axis=0)
    out[1:, 1:] = np.diag(weighted.sum(axis=0)) - weighted.T @ p
    return out + 1e-9 * np.eye(n_classes + 1)
