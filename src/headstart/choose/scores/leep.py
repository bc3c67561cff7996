"""LEEP: the log likelihood of the classes given the upstream classifier's probabilities (Nguyen et al. 2020, eq. 2).

    P(y | z) = sum over items of class y of p_nz / sum over items of p_nz
    score = mean over items of log sum_z P(y_n | z) p_nz                                      at most 0

An upstream class that no item has any probability of is left out (the authors' code gives NaN). Without information,
such as equal probabilities for every item, the score is minus the entropy of the classes.

Legend: N items, C classes, Z upstream classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.choose.scores.sample import Sample
from headstart.choose.scores.score import Score

LEAST = 1e-300


def mean_log_likelihood(p_NZ: NDArray[np.floating], codes_N: NDArray[np.int64]) -> float:
    """Return LEEP.

    Args:
        p_NZ: probabilities of upstream classes, or of the components of a mixture.
        codes_N: class numbers.
    """
    p = np.asarray(p_NZ, dtype=np.float64)
    p = p[:, p.sum(axis=0) > 0]
    joint_CZ = np.stack([p[codes_N == code].sum(axis=0) for code in range(int(codes_N.max()) + 1)])
    given_CZ = joint_CZ / joint_CZ.sum(axis=0)
    likelihood_N = np.einsum("nz,nz->n", given_CZ[codes_N], p)
    return float(np.log(np.maximum(likelihood_N, LEAST)).mean())


def leep(sample: Sample) -> float:
    """Return LEEP of a sample with upstream probabilities."""
    assert sample.probabilities is not None
    return mean_log_likelihood(sample.probabilities, sample.codes)


LEEP = Score("leep", "LEEP", leep, needs_probabilities=True, n_most=20_000)
