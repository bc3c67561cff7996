"""A learning curve fitted to scores at several numbers of labels, with its band, to twice the largest number.

s(n) = a - b n^-c with b >= 0 and c > 0 (for a loss a + b n^-c): the inverse power law that learning curves mostly
follow (Viering and Loog 2023, "The shape of learning curves", section 4). a and b are found by least squares for each
c of a grid, weighted by the errors of the scores; the c with the least error is taken. The band is that of fits to
scores that are drawn from their joint normal distribution (a parametric bootstrap). Curves of other shapes exist: the
band does not hold for these, which is why nothing is drawn beyond twice the largest number.

Legend: S numbers of labels, D draws, K values of c, P places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.metrics.spread import Float

LEAST_SIZES = 4
BEYOND = 2.0
_N_DRAWS, _N_PLACES = 400, 40
_POWERS = np.geomspace(0.05, 2.0, 150)


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """A fitted curve.

    Attributes:
        places: numbers of labels, of shape (P,).
        value, low, high: of the score, of shape (P,).
    """

    places: Float
    value: Float
    low: Float
    high: Float


def fit_curve(
    sizes: Float, scores: Float, covariance_SS: Float, *, rises: bool, most: float | None, seed: int = 0
) -> LearningCurve:
    """Fit a learning curve.

    Args:
        sizes: numbers of labels, rising, of shape (S,), S >= `LEAST_SIZES`.
        scores: of shape (S,).
        covariance_SS: of the scores, of shape (S, S).
        rises: whether a higher score is better.
        most: the largest score there can be, or the least of a loss; None: none.
        seed: of the draws.

    Returns:
        The curve from the first number to twice the last.
    """
    places = np.geomspace(sizes[0], BEYOND * sizes[-1], _N_PLACES)
    drawn_DS = np.random.default_rng(seed).multivariate_normal(
        scores, covariance_SS, size=_N_DRAWS, method="eigh"
    )
    weights = 1 / np.maximum(np.diag(covariance_SS), 1e-8)
    curves = _fits(sizes, np.vstack([scores[None], drawn_DS]), weights, places, 1 if rises else -1, most)
    low, high = np.quantile(curves[1:], [0.025, 0.975], axis=0)
    value = curves[0]
    return LearningCurve(places, value, np.minimum(low, value), np.maximum(high, value))


def _fits(
    sizes: Float, scores_DS: Float, weights: Float, places: Float, sign: int, most: float | None
) -> Float:
    """The fitted curve of each row of scores at the places, of shape (D, P)."""
    best_D = np.full(len(scores_DS), np.inf)
    curves_DP = np.repeat(scores_DS.mean(axis=1, keepdims=True), len(places), axis=1)
    root = np.sqrt(weights)[:, None]
    for power in _POWERS:
        x_S, x_P = -sign * sizes**-power, -sign * places**-power
        design = np.stack([np.ones_like(x_S), x_S], axis=1)
        a_D, b_D = np.linalg.lstsq(design * root, scores_DS.T * root, rcond=None)[0]
        b_D = np.maximum(b_D, 0.0)
        if most is not None:
            beyond = sign * (a_D - most) > 0
            through_most = ((scores_DS - most) * x_S * weights).sum(1) / (x_S**2 * weights).sum()
            b_D = np.where(beyond, np.maximum(through_most, 0.0), b_D)
            a_D = np.where(beyond, most, a_D)
        flat = b_D <= 0
        a_D = np.where(flat, (scores_DS * weights).sum(1) / weights.sum(), a_D)
        error_D = (np.square(a_D[:, None] + b_D[:, None] * x_S - scores_DS) * weights).sum(axis=1)
        taken = error_D < best_D
        best_D = np.where(taken, error_D, best_D)
        curves_DP[taken] = a_D[taken, None] + b_D[taken, None] * x_P
    return curves_DP
