"""PARC: whether items of one class are also alike in the features (Bolya et al. 2021, section 4).

    features -> 32 principal components, at most one per 4 items, each standardised
    score = Spearman correlation, over pairs of items, of 1 - cosine of their components
            with 1 - correlation of their classes' indicators                          from -1 to 1

With as many standardised components as items, all items are equally far apart, so fewer are taken of few items. The
authors take the correlation of two items over their components, which changes with the arbitrary signs of the
components; the cosine does not. Indicators correlate by 1 within a class and by one other value between classes, so all
that counts of them is whether the classes differ. An item at the mean of all has a cosine of 0 with others. Constant
features, or no pair of one class: 0.

Legend: N items, R components, P pairs of items.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from headstart.choose.scores.sample import Float, Sample
from headstart.choose.scores.score import Score
from headstart.heads.reduce import reduce, standardiser

N_DIMENSIONS, ITEMS_PER_DIMENSION = 32, 4


def rank_correlation(x_NR: Float, codes_N: NDArray[np.int64]) -> float:
    """Return the Spearman correlation over pairs, from components of one scale."""
    length_N1 = np.sqrt(np.square(x_NR).sum(axis=1, keepdims=True))
    unit = np.divide(x_NR, length_N1, out=np.zeros_like(x_NR), where=length_N1 > 1e-12)
    first, second = np.triu_indices(len(unit), k=1)
    apart_P = 1.0 - np.round((unit @ unit.T)[first, second], 12)
    differ_P = (codes_N[first] != codes_N[second]).astype(np.float64)
    ranks_P = rankdata(apart_P)
    ranks_P, differ_P = ranks_P - ranks_P.mean(), differ_P - differ_P.mean()
    size = float(np.sqrt(np.square(ranks_P).sum() * np.square(differ_P).sum()))
    return float(ranks_P @ differ_P) / size if size > 0 else 0.0


def parc(sample: Sample) -> float:
    """Return PARC of a sample."""
    x_ND = sample.features
    n_dimensions = max(1, min(N_DIMENSIONS, len(sample) // ITEMS_PER_DIMENSION))
    z_NR = reduce(x_ND, standardiser(x_ND, "none")).z[:, :n_dimensions].astype(np.float64)
    deviation_R = z_NR.std(axis=0)
    return rank_correlation(z_NR / np.where(deviation_R > 0, deviation_R, 1.0), sample.codes)


PARC = Score("parc", "PARC", parc, n_most=2_000)
