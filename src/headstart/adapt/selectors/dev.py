"""Deep embedded validation: importance weighting with a control variate.

    risk = mean(w l) + eta mean(w) - eta,    eta = -cov(w l, w) / var(w)

l is the loss of an item that was not learned from, w the density ratio in the space that the method learns in. The
mean of w is 1 in expectation, so the added terms change the variance only. Here l is 0 for a right item and 1 for a
wrong one, and the ratio is that of the aligned features. The score is 1 - risk.

Where the domains hardly overlap, clipped ratios have a mean far from 1, and eta extrapolates to a risk that no item
shows. The ratios are then divided by their mean, as in importance-weighted validation.

skada 0.6.0 multiplies weights of shape (n, 1) by losses of shape (n,), which pairs every weight with every loss: its
values are not those of this formula.

Source: You et al. 2019, "Towards accurate model selection in deep unsupervised domain adaptation", ICML.

Legend: N source items.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Float
from headstart.adapt.selectors.candidate import Candidate
from headstart.adapt.selectors.selector import Selector

MEAN_MOST = 2.0  # mean of the ratios above which, or below the inverse of which, the domains hardly overlap


def deep_embedded(candidate: Candidate) -> float:
    """Return 1 - risk.

    Raises:
        DataError: no folds can be made.
    """
    wrong_N = candidate.held_out.predicted_N != candidate.domains.codes_N
    weights_N = candidate.density_ratio_N
    mean = float(weights_N.mean())
    is_far = not 1 / MEAN_MOST <= mean <= MEAN_MOST
    return float((1.0 - risks(wrong_N, weights_N / mean if is_far else weights_N)).mean())


def risks(losses_N: NDArray[np.generic], weights_N: Float) -> Float:
    """Return items whose mean is the risk.

    Args:
        losses_N: of shape (N,).
        weights_N: density ratios, of shape (N,). If all are equal, eta is 0.
    """
    weighted_N = weights_N * np.asarray(losses_N, dtype=np.float64)
    covariance = np.cov(weighted_N, weights_N)
    eta = -covariance[0, 1] / covariance[1, 1] if np.ptp(weights_N) > 1e-9 * weights_N.max() else 0.0
    return np.asarray(weighted_N + eta * (weights_N - 1.0))


DEV = Selector("dev", "deep embedded validation", deep_embedded)
