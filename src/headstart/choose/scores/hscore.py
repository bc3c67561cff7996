"""H-score with a shrunk covariance (Bao et al. 2019; Ibrahim et al. 2021, arXiv:2110.06893, section 4).

    score = (1 - w) trace(S_w^-1 B)        from 0 (class means are equal) to C - 1

B is the covariance of the class means (each item replaced by the mean of its class), S_w the Ledoit-Wolf estimate of
the covariance of the features with shrinkage w. Without shrinkage the score is C - 1 for every source as soon as there
are as many dimensions as items. Constant features: 0.

Legend: N items, D features, C classes.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve
from sklearn.covariance import ledoit_wolf

from headstart.choose.scores.sample import Sample
from headstart.choose.scores.score import Score


def hscore(sample: Sample) -> float:
    """Return the H-score of a sample."""
    x_ND = np.asarray(sample.features, dtype=np.float64)
    x_ND = x_ND - x_ND.mean(axis=0)
    size = float(np.square(x_ND).mean())
    if size < 1e-24:
        return 0.0
    x_ND = x_ND / np.sqrt(size)
    counts_C = np.bincount(sample.codes)
    means_CD = sample.columns.T @ x_ND / counts_C[:, None]
    covariance_DD, shrinkage = ledoit_wolf(x_ND)
    covariance_DD[np.diag_indices_from(covariance_DD)] += 1e-10 * np.trace(covariance_DD) / len(covariance_DD)
    solved_DC = solve(covariance_DD, means_CD.T, assume_a="pos", check_finite=False)
    trace = float(np.einsum("c,cd,dc->", counts_C, means_CD, solved_DC)) / (len(sample) - 1)
    return (1.0 - float(shrinkage)) * trace


HSCORE = Score("hscore", "H-score, shrunk", hscore)
