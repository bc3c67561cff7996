"""GBC: how much the classes overlap as Gaussians, by the Bhattacharyya coefficient (Pandy et al. 2022, section 3).

    D(a, b) = 1/8 sum_d (m_ad - m_bd)^2 / v_d + 1/2 sum_d log(v_d / sqrt(v_ad v_bd)),  v = (v_a + v_b) / 2
    score = -sum over ordered pairs of classes of exp(-D)                  from -C (C - 1) to 0

on 64 principal components, with one variance per class (spherical, the paper's choice for few items). Published code
sums the second part over one dimension only; here over all of them. A variance is at least 1e-4 of that of all items,
so a class of one item is no special case. Constant features: -C (C - 1).

Legend: N items, C classes, D dimensions.
"""

from __future__ import annotations

import numpy as np

from headstart.choose.scores.sample import Float, Sample
from headstart.choose.scores.score import Score
from headstart.heads.reduce import reduce, standardiser

N_DIMENSIONS = 64
LEAST_VARIANCE = 1e-4


def overlap(means_CD: Float, variances_CD: Float) -> float:
    """Return the sum of the coefficients over ordered pairs of different classes."""
    total = 0.0
    for mean_D, variance_D in zip(means_CD, variances_CD):
        between_CD = (variance_D + variances_CD) / 2
        apart_C = 0.125 * (np.square(mean_D - means_CD) / between_CD).sum(axis=1)
        shape_C = 0.5 * np.log(between_CD / np.sqrt(variance_D * variances_CD)).sum(axis=1)
        total += float(np.exp(-apart_C - shape_C).sum()) - 1.0  # less the class itself
    return total


def gbc(sample: Sample) -> float:
    """Return GBC of a sample."""
    x_ND = sample.features
    z_NR = reduce(x_ND, standardiser(x_ND, "none")).z[:, :N_DIMENSIONS].astype(np.float64)
    n_items_C1 = np.bincount(sample.codes)[:, None]
    overall = float(z_NR.var(axis=0).mean())
    if overall < 1e-24:
        return -float(sample.n_classes * (sample.n_classes - 1))
    means_CR = sample.columns.T @ z_NR / n_items_C1
    squares_NR = np.square(z_NR - means_CR[sample.codes])
    variance_C1 = (sample.columns.T @ squares_NR / n_items_C1).mean(axis=1, keepdims=True)
    variances_CR = np.broadcast_to(np.maximum(variance_C1, LEAST_VARIANCE * overall), means_CR.shape)
    return -overlap(means_CR, variances_CR)


GBC = Score("gbc", "GBC", gbc)
