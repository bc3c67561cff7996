"""LogME: the evidence of a Bayesian linear model of the targets (You et al. 2021, arXiv:2102.11005), exact.

    y ~ N(0, (1/b) I + (1/a) F F')        per output (class against rest, label, quantity)
    score = mean over outputs of max over a, b of log p(y | F, a, b) / N

With s_i the eigenvalues of F F', c_i = (u_i' y)^2, r = |y|^2 - sum c_i and l = b / a, the best b is
N / Q(l), Q = r + sum_i c_i / (1 + l s_i), which leaves one number to search for:

    log p / N = -1/2 [log 2 pi + 1 + log(Q / N) + (1/N) sum_i log(1 + l s_i)]

Only the rank of F counts, so more dimensions than items are no special case. The authors' default solver counts D of
them and stops early; for D > N its values are wrong. The best l is found on a grid and then by golden section.

`logme` takes the features as they are, as the authors do. `logme_scaled` standardises them, divides by the square root
of D and adds a constant column, so that neither units, nor width, nor a mean decides. A perfect fit counts as noise of
1e-5 of the target, so the value is finite; without information (constant features) it is the evidence of noise.
An output that is zero for every item is left out; without any output the score is 0.

Legend: N items, D features, C outputs, R rank.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from headstart.choose.scores.sample import Float, Sample
from headstart.choose.scores.score import ALL_TASKS, Score
from headstart.heads.reduce import standardiser

LEAST_NOISE = 1e-14  # of the mean square of the target
RANK = 1e-12  # eigenvalues below this share of the largest are rounding
GRID = np.linspace(np.log(1e-8), np.log(1e14), 52)  # of l, relative to the largest eigenvalue
STEPS = 40  # of golden section: the place is right to 1e-8, the value to more digits


def log_evidence(x_ND: NDArray[np.floating], y_NC: Float) -> Float:
    """Return the largest log evidence per item of each output, of shape (C,).

    Args:
        x_ND: features.
        y_NC: targets, none of them zero for every item.
    """
    x = np.asarray(x_ND, dtype=np.float64)
    size_R, part_RC = _spectrum(x, y_NC)
    total_C = np.square(y_NC).sum(axis=0)
    full = len(size_R) == len(x)  # then nothing is left outside of the features, whatever rounding says
    rest_C = np.zeros_like(total_C) if full else np.maximum(total_C - part_RC.sum(axis=0), 0.0)
    least_C = LEAST_NOISE * total_C

    def loss(log_l_C: Float) -> Float:
        growth_RC = 1.0 + np.exp(log_l_C) * size_R[:, None]
        q_C = np.maximum(rest_C + (part_RC / growth_RC).sum(axis=0), least_C)
        return np.asarray(np.log(q_C / len(x)) + np.log(growth_RC).sum(axis=0) / len(x))

    on_grid = np.stack([loss(np.full(y_NC.shape[1], point)) for point in GRID])
    best_C = GRID[on_grid.argmin(axis=0)]
    step = GRID[1] - GRID[0]
    found_C = np.minimum(_golden_section(loss, best_C - step, best_C + step), on_grid.min(axis=0))
    return np.asarray(-0.5 * (np.log(2 * np.pi) + 1.0 + found_C))


def _spectrum(x: Float, y_NC: Float) -> tuple[Float, Float]:
    """Return the eigenvalues of X X', the largest scaled to 1, and (u' y)^2 of each, of shape (R, C)."""
    wide = x.shape[1] > len(x)
    values, vectors = eigh(x @ x.T if wide else x.T @ x, check_finite=False)
    largest = max(float(values[-1]), 0.0)
    keep = values > RANK * largest
    values, vectors = values[keep], vectors[:, keep]
    u_NR = vectors if wide else (x @ vectors) / np.sqrt(values)
    return values / (largest or 1.0), np.square(u_NR.T @ y_NC)


def _golden_section(loss: Callable[[Float], Float], low_C: Float, high_C: Float) -> Float:
    """Return the smallest loss between two places, of each output on its own."""
    ratio = (np.sqrt(5) - 1) / 2
    left, right = high_C - ratio * (high_C - low_C), low_C + ratio * (high_C - low_C)
    at_left, at_right = loss(left), loss(right)
    for _ in range(STEPS):
        lower = at_left < at_right
        low_C, high_C = np.where(lower, low_C, left), np.where(lower, right, high_C)
        kept, at_kept = np.where(lower, left, right), np.where(lower, at_left, at_right)
        new = low_C + high_C - kept
        at_new = loss(new)
        left, right = np.where(lower, new, kept), np.where(lower, kept, new)
        at_left, at_right = np.where(lower, at_new, at_kept), np.where(lower, at_kept, at_new)
    return np.asarray(np.minimum(at_left, at_right))


def _mean_evidence(x_ND: NDArray[np.floating], sample: Sample) -> float:
    y_NC = sample.columns[:, (sample.columns != 0).any(axis=0)]
    return float(log_evidence(x_ND, y_NC).mean()) if y_NC.shape[1] else 0.0


def logme(sample: Sample) -> float:
    """Return the mean evidence of the features as they are."""
    return _mean_evidence(sample.features, sample)


def logme_scaled(sample: Sample) -> float:
    """Return the mean evidence of standardised features with a constant column."""
    x_ND = standardiser(sample.features).apply(sample.features)
    constant = np.ones((len(sample), 1))
    return _mean_evidence(np.hstack([x_ND / np.sqrt(x_ND.shape[1]), constant]), sample)


LOGME = Score("logme", "LogME", logme, ALL_TASKS)
LOGME_SCALED = Score("logme_scaled", "LogME, standardised", logme_scaled, ALL_TASKS)
