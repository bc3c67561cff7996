"""Covariances that can be inverted with few items and many features: shrunk towards a multiple of the identity.

    C = (1 - a) S + a m I,    S = sum_n w_n z_n z_n^T,    m = trace(S) / D,    sum_n w_n = 1
    a = b^2 / d^2,  b^2 = sum_n w_n^2 |z_n z_n^T - S|^2,  d^2 = |S - m I|^2

This is the estimator of Ledoit and Wolf (2004, "A well-conditioned estimator for large-dimensional covariance
matrices", section 3.3) with item weights; equal weights give theirs. a is at least 1 / (n - 1), n = 1 / sum_n w_n^2
the effective number of items: the formula takes the mean as known, and gives 0 for two items that were centred by
their own mean.

S is decomposed on the smaller side, items or features: with fewer items than features, C is m a in every direction
outside of theirs.

Legend: N items, D features, R axes, Q coordinates of the items in a space that holds them all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.adapt.domains import Float

ROUNDING = 1e-10  # of the largest eigenvalue or of the mean: such a variance is none


@dataclass(frozen=True, eq=False)
class Covariance:
    """A positive definite covariance.

    Attributes:
        axes_DR: orthonormal columns, of shape (D, R).
        variance_R: along these axes, of shape (R,), above 0.
        rest: along every direction orthogonal to them, above 0.
    """

    axes_DR: Float
    variance_R: Float
    rest: float

    def times(self, z_ND: Float, exponent: float) -> Float:
        """Return z C^exponent, of shape (N, D)."""
        rest = self.rest**exponent
        along_NR = (z_ND @ self.axes_DR) * (self.variance_R**exponent - rest)
        return np.asarray(rest * z_ND + along_NR @ self.axes_DR.T)


def covariance(z_ND: Float, weights_N: Float | None = None, shrinkage: float | None = None) -> Covariance:
    """Measure the covariance of centred features, by its axes.

    Args:
        z_ND: of shape (N, D), with (weighted) mean 0.
        weights_N: of the items; None: all the same.
        shrinkage: a above; None: measured.

    Returns:
        The shrunk covariance; the identity if no feature varies.
    """
    n_features = z_ND.shape[1]
    y_ND, share_N = _weighted(z_ND, weights_N)
    gram, mean = _gram(y_ND), float(np.square(y_ND).sum()) / n_features
    if mean <= 0:
        return Covariance(np.zeros((n_features, 0)), np.zeros(0), 1.0)
    amount = _shrinkage(y_ND, share_N, gram, n_features) if shrinkage is None else shrinkage
    axes_DR, variance_R = _axes(y_ND, gram)
    smallest = ROUNDING * mean  # where nothing is shrunk
    variance_R = np.maximum((1 - amount) * variance_R + amount * mean, smallest)
    return Covariance(axes_DR, variance_R, max(amount * mean, smallest))


def covariance_matrix(
    z_NQ: Float, n_features: int, weights_N: Float | None = None, shrinkage: float | None = None
) -> Float:
    """Measure the covariance of centred features, as a matrix, in a space that holds all items.

    Args:
        z_NQ: coordinates of the items, of shape (N, Q), with (weighted) mean 0.
        n_features: D, at least Q.
        weights_N: of the items; None: all the same.
        shrinkage: a above; None: measured.

    Returns:
        The shrunk covariance, of shape (Q, Q); the identity if no feature varies.
    """
    y_NQ, share_N = _weighted(z_NQ, weights_N)
    mean = float(np.square(y_NQ).sum()) / n_features
    if mean <= 0:
        return np.eye(z_NQ.shape[1])
    amount = shrinkage
    if amount is None:
        amount = _shrinkage(y_NQ, share_N, _gram(y_NQ), n_features)
    matrix_QQ = (1 - amount) * (y_NQ.T @ y_NQ)
    matrix_QQ[np.diag_indices_from(matrix_QQ)] += max(amount, ROUNDING) * mean
    return np.asarray(matrix_QQ)


def principal_axes(z_ND: Float, weights_N: Float | None = None) -> tuple[Float, Float]:
    """Find the axes of largest variance of centred features.

    Args:
        z_ND: of shape (N, D), with (weighted) mean 0.
        weights_N: of the items; None: all the same.

    Returns:
        Axes of shape (D, R), the largest weight of each positive, and their shares of the variance, of shape (R,),
        in descending order; R is 0 if no feature varies.
    """
    y_ND, _ = _weighted(z_ND, weights_N)
    total = float(np.square(y_ND).sum())
    if total <= 0:
        return np.zeros((z_ND.shape[1], 0)), np.zeros(0)
    axes_DR, variance_R = _axes(y_ND, _gram(y_ND))
    largest = np.abs(axes_DR).argmax(axis=0)
    return axes_DR * np.sign(axes_DR[largest, np.arange(len(largest))]), variance_R / total


def _weighted(z_ND: Float, weights_N: Float | None) -> tuple[Float, Float]:
    """Return items times the root of their weights, whose products sum to S, and weights that sum to 1."""
    weights = np.ones(len(z_ND)) if weights_N is None else np.asarray(weights_N, dtype=np.float64)
    share_N = weights / weights.sum()
    return np.asarray(z_ND, dtype=np.float64) * np.sqrt(share_N)[:, None], share_N


def _gram(y_ND: Float) -> Float:
    """Return products of the items, or of the features if there are no more of them."""
    return np.asarray(y_ND @ y_ND.T if y_ND.shape[0] < y_ND.shape[1] else y_ND.T @ y_ND)


def _axes(y_ND: Float, gram: Float) -> tuple[Float, Float]:
    """Return axes of shape (D, R) and the variances along them, largest first."""
    from scipy.linalg import eigh

    values, vectors = eigh(gram, check_finite=False, driver="evd")
    keep = np.flatnonzero(values > ROUNDING * values[-1])[::-1]
    values, vectors = values[keep], vectors[:, keep]
    axes = y_ND.T @ (vectors / np.sqrt(values)) if y_ND.shape[0] < y_ND.shape[1] else vectors
    return np.ascontiguousarray(axes), values


def _shrinkage(y_ND: Float, share_N: Float, gram: Float, n_features: int) -> float:
    """Return a."""
    by_items = y_ND.shape[0] < y_ND.shape[1]
    within_N = (
        np.square(gram).sum(axis=1) if by_items else np.einsum("nd,nd->n", y_ND @ gram, y_ND)
    )  # y^T S y
    square = float(np.square(gram).sum())
    fourth = float(np.square(np.square(y_ND).sum(axis=1)).sum())
    noise = fourth - 2 * float(share_N @ within_N) + float(share_N @ share_N) * square
    distance = square - float(np.trace(gram)) ** 2 / n_features
    amount = noise / distance if distance > ROUNDING * square else 1.0
    n_effective = 1 / float(share_N @ share_N)
    least = 1.0 if n_effective <= 2 else 1 / (n_effective - 1)
    return float(np.clip(amount, least, 1.0))
