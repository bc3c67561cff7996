"""NCE: minus the entropy of the classes given the likeliest upstream class (Tran et al. 2019, section 3).

    score = -H(y | z),  z = argmax of the upstream probabilities                               at most 0

Counts only, so it is exact where published code adds a small number to every cell. If all items have the same upstream
class, there is no information, and the score is minus the entropy of the classes.

Legend: C classes, Z upstream classes.
"""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from headstart.choose.scores.sample import Sample
from headstart.choose.scores.score import Score


def nce(sample: Sample) -> float:
    """Return NCE of a sample with upstream probabilities."""
    assert sample.probabilities is not None
    likeliest, z_N = np.unique(sample.probabilities.argmax(axis=1), return_inverse=True)
    counts_CZ = np.zeros((sample.n_classes, len(likeliest)))
    np.add.at(counts_CZ, (sample.codes, z_N.reshape(-1)), 1.0)
    given_CZ = counts_CZ / counts_CZ.sum(axis=0)
    return float(xlogy(counts_CZ, given_CZ).sum() / len(sample))


NCE = Score("nce", "NCE", nce, needs_probabilities=True, n_most=20_000)
