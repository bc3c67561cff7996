"""Importance-weighted validation: accuracy on source items, each weighted by how likely the target has such items.

    score = sum_i w_i right_i / sum_i w_i,    w = p_target / p_source

The weights correct a covariate shift within what the source covers. They are normalised by their sum, which has less
variance than the paper's mean of w_i right_i. `right` is out of fold.

Source: Sugiyama, Krauledat and Mueller 2007, "Covariate shift adaptation by importance weighted cross validation",
JMLR 8.

Legend: N source items.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Float
from headstart.adapt.selectors.candidate import Candidate
from headstart.adapt.selectors.selector import Selector


def importance_weighted(candidate: Candidate) -> float:
    """Return the weighted accuracy on the source items.

    Raises:
        DataError: no folds can be made.
    """
    right_N = candidate.held_out.predicted_N == candidate.domains.codes_N
    return float(weighted_items(right_N, candidate.comparison.density_ratio_N).mean())


def weighted_items(values_N: NDArray[np.generic], weights_N: Float) -> Float:
    """Return items whose mean is the weighted mean of the values, and whose spread is that of this ratio.

    Args:
        values_N: of shape (N,).
        weights_N: of shape (N,), not all 0.
    """
    values = np.asarray(values_N, dtype=np.float64)
    mean = float(np.average(values, weights=weights_N))
    return np.asarray(mean + weights_N / weights_N.mean() * (values - mean))


IMPORTANCE = Selector("importance", "importance-weighted validation", importance_weighted)
