"""H-score with a shrunk covariance (Bao et al. 2019; Ibrahim et al. 2021, arXiv:2110.06893, section 4).

    score = (1 - w) trace(S_w^-1 B)        from 0 (class means are equal) to C - 1

B is the covariance of the class means (each item replaced by the mean of its class), S_w the Ledoit-Wolf estimate of
the covariance of the features with shrinkage w (Ledoit and Wolf 2004). Without shrinkage the score is C - 1 for every
source as soon as there are as many dimensions as items. Constant features: 0.

Legend: N items, D features, C classes, R coordinates of the space that holds the items.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve

from headstart.choose.scores.sample import Float, Sample
from headstart.choose.scores.score import Score
from headstart.choose.scores.span import coordinates

LEAST_SHRINKAGE = 1e-10


def hscore(sample: Sample) -> float:
    """Return the H-score of a sample."""
    x_ND = np.asarray(sample.features, dtype=np.float64)
    x_ND = x_ND - x_ND.mean(axis=0)
    size = float(np.square(x_ND).mean())
    if size < 1e-24:
        return 0.0
    x_NR, width = coordinates(x_ND / np.sqrt(size)), x_ND.shape[1]
    counts_C = np.bincount(sample.codes)
    means_CR = sample.columns.T @ x_NR / counts_C[:, None]
    covariance_RR = x_NR.T @ x_NR / len(sample)
    mean_variance = float(np.trace(covariance_RR)) / width
    shrinkage = _ledoit_wolf(x_NR, covariance_RR, width)
    covariance_RR *= 1 - shrinkage
    covariance_RR[np.diag_indices_from(covariance_RR)] += max(shrinkage, LEAST_SHRINKAGE) * mean_variance
    solved_RC = solve(covariance_RR, means_CR.T, assume_a="pos", check_finite=False)
    trace = float(np.einsum("c,cr,rc->", counts_C, means_CR, solved_RC)) / (len(sample) - 1)
    return (1.0 - shrinkage) * trace


def _ledoit_wolf(x_NR: Float, covariance_RR: Float, width: int) -> float:
    """Return the shrinkage of a covariance of `width` dimensions, of which R hold the items."""
    squares = float(np.square(covariance_RR).sum())
    spread = squares - float(np.trace(covariance_RR)) ** 2 / width
    noise = (float(np.square(np.square(x_NR).sum(axis=1)).mean()) - squares) / len(x_NR)
    return min(noise, spread) / spread if spread > 0 else 0.0


HSCORE = Score("hscore", "H-score, shrunk", hscore)
