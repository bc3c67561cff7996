"""SFDA: a linear discriminant that is fitted twice, the second time on classes moved together (Shao et al. 2022).

1. Discriminant with the within-class covariance W shrunk to (1 - w) W + w trace(W)/D I, w = exp(-5 largest
   eigenvalue of W), at least 1e-10 (section 3.2); p = its probabilities of each item.
2. Confident items stay, others move to the means of the other classes: q = softmax(p),
   x <- q_y x + (1 - q_y) (mean of the means of the other classes) (section 3.3, in the form of the authors' code).
3. score = mean probability of the own class by a discriminant of the moved items, with the shrinkage of step 1.

It is computed on the items that were fitted, so with more dimensions than items it is 1 for every source. Where the
within-class covariance is zero (one item per class, constant features) the covariance of all items takes its place, and
if that is zero too the probabilities are the classes' shares.

Legend: N items, D features, C classes.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh, solve
from scipy.special import softmax

from headstart.choose.scores.sample import Float, Sample
from headstart.choose.scores.score import Score
from headstart.choose.scores.span import coordinates

STEEPNESS, LEAST_SHRINKAGE = 5.0, 1e-10


def sfda(sample: Sample) -> float:
    """Return SFDA of a sample."""
    x_ND = np.asarray(sample.features, dtype=np.float64)
    width = x_ND.shape[1]
    x_ND = coordinates(x_ND - x_ND.mean(axis=0))
    y_NC, own = sample.columns, (np.arange(len(sample)), sample.codes)
    p_NC, means_CD, shrinkage = discriminant(x_ND, y_NC, width)
    confidence_N = softmax(p_NC, axis=1)[own]
    others_CD = (means_CD.sum(axis=0) - means_CD) / max(1, len(means_CD) - 1)
    moved_ND = confidence_N[:, None] * x_ND + (1 - confidence_N[:, None]) * others_CD[sample.codes]
    p_NC, _, _ = discriminant(moved_ND, y_NC, width, shrinkage)
    return float(p_NC[own].mean())


def discriminant(
    x_ND: Float, y_NC: Float, width: int, shrinkage: float | None = None
) -> tuple[Float, Float, float]:
    """Fit a discriminant with shrinkage; return the items' probabilities, the class means and the shrinkage.

    Args:
        x_ND: features.
        y_NC: class indicators.
        width: number of features before they were put into fewer coordinates.
        shrinkage: None: by the largest eigenvalue of the within-class covariance.
    """
    shares_C = y_NC.mean(axis=0)
    means_CD = y_NC.T @ x_ND / y_NC.sum(axis=0)[:, None]
    inside_ND = x_ND - y_NC @ means_CD
    around_ND = x_ND - x_ND.mean(axis=0)
    if np.square(inside_ND).sum() <= 1e-20 * np.square(around_ND).sum():
        inside_ND = around_ND
    within_DD = inside_ND.T @ inside_ND / len(x_ND)
    variance = float(np.trace(within_DD)) / width
    if shrinkage is None:
        last = [len(within_DD) - 1] * 2
        values = eigh(within_DD, eigvals_only=True, check_finite=False, subset_by_index=last)
        shrinkage = max(float(np.exp(-STEEPNESS * float(values[0]))), LEAST_SHRINKAGE)
    if variance < 1e-24:
        return np.tile(shares_C, (len(x_ND), 1)), means_CD, shrinkage
    within_DD *= 1 - shrinkage
    within_DD[np.diag_indices_from(within_DD)] += shrinkage * variance
    weight_DC = solve(within_DD, means_CD.T, assume_a="pos", check_finite=False)
    bias_C = np.log(shares_C) - 0.5 * np.einsum("cd,dc->c", means_CD, weight_DC)
    return softmax(x_ND @ weight_DC + bias_C, axis=1), means_CD, shrinkage


SFDA = Score("sfda", "SFDA", sfda)
