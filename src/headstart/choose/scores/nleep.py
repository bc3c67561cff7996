"""N-LEEP: LEEP with the components of a Gaussian mixture in place of upstream classes (Li et al. 2021, section 3.2).

    features -> principal components that hold 80% of the variance, at most 64
             -> mixture of 5 components per class with diagonal covariances, at most one per 4 items and 100 in all
    score = LEEP of the components' posterior probabilities

The paper's logarithm is kept (some published code gives the mean probability without it). The mixture is seeded, and
items are put in an order of their own first, so that the order they come in has no effect. Constant features: minus the
entropy of the classes.

Legend: N items, C classes, R components of the rotation.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.mixture import GaussianMixture

from headstart.choose.scores.leep import mean_log_likelihood
from headstart.choose.scores.sample import Sample
from headstart.choose.scores.score import Score
from headstart.heads.reduce import reduce, standardiser

ENERGY, MOST_DIMENSIONS = 0.8, 64
PER_CLASS, ITEMS_PER_COMPONENT, MOST_COMPONENTS = 5, 4, 100
LEAST_VARIANCE = 1e-3  # of the mean variance of the components of the rotation


def nleep(sample: Sample) -> float:
    """Return N-LEEP of a sample."""
    order = np.lexsort(sample.features.T[:MOST_DIMENSIONS])
    x_ND, codes_N = sample.features[order], sample.codes[order]
    reduced = reduce(x_ND, standardiser(x_ND, "none"))
    energy = np.cumsum(reduced.variance) / reduced.variance.sum()
    n_dimensions = min(int(np.searchsorted(energy, ENERGY)) + 1, len(energy), MOST_DIMENSIONS)
    z_NR = reduced.z[:, :n_dimensions].astype(np.float64)
    scale = np.sqrt(z_NR.var(axis=0).mean())
    n_components = min(PER_CLASS * sample.n_classes, len(sample) // ITEMS_PER_COMPONENT, MOST_COMPONENTS)
    if scale < 1e-12 or n_components < 2:
        return mean_log_likelihood(np.ones((len(sample), 1)), codes_N)
    mixture = GaussianMixture(
        n_components, covariance_type="diag", reg_covar=LEAST_VARIANCE, random_state=sample.seed
    )
    with warnings.catch_warnings():  # few distinct items, or not yet converged: the mixture is used as it is
        warnings.simplefilter("ignore")
        posterior_NZ = mixture.fit(z_NR / scale).predict_proba(z_NR / scale)
    return mean_log_likelihood(posterior_NZ, codes_N)


NLEEP = Score("nleep", "N-LEEP", nleep, n_most=2_000)
