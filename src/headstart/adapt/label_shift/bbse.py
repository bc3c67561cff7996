"""Class shares of the target by black box shift estimation, with soft predictions.

    K_cd = mean probability of class c over source items of class d,   m_c = mean probability of c over target items
    shares q: minimise |K q - m| over q >= 0, then divide by the sum

Lipton, Wang and Smola (2018), "Detecting and correcting for label shift with black box predictors", section 3, with
probabilities in place of hard predictions. The probabilities need not be calibrated, but those of source items must be
of items that were not learned from.

It assumes label shift, as `em` does. If two columns of K are alike (a singular K), how their classes divide a share
cannot be known; the result is one of the solutions, and its interval is wide.

Legend: N source items, M target items, C classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Float


def soft_confusion(
    probabilities_NC: Float, codes_N: NDArray[np.integer], weights_N: Float | None = None
) -> Float:
    """Return K above, of shape (C, C); the column of a class without items is 0.

    Args:
        probabilities_NC: out-of-fold, of source items, of shape (N, C).
        codes_N: their classes, of shape (N,).
        weights_N: of the items, of shape (N,); None: all the same.
    """
    n_classes = probabilities_NC.shape[1]
    member_NC = np.eye(n_classes)[codes_N]
    if weights_N is not None:
        member_NC = member_NC * weights_N[:, None]
    counts = member_NC.sum(axis=0)
    return np.asarray(probabilities_NC.T @ member_NC / np.where(counts > 0, counts, 1))


def bbse_shares(
    source_NC: Float,
    codes_N: NDArray[np.integer],
    target_MC: Float,
    weights_N: Float | None = None,
    weights_M: Float | None = None,
) -> Float:
    """Return the shares of the classes in the target, of shape (C,).

    Args:
        source_NC: out-of-fold probabilities of the source items, of shape (N, C).
        codes_N: their classes, of shape (N,).
        target_MC: probabilities of the target items, of shape (M, C).
        weights_N: of the source items, of shape (N,); None: all the same.
        weights_M: of the target items, of shape (M,); None: all the same.
    """
    from scipy.optimize import nnls

    mean_C = np.average(target_MC, axis=0, weights=weights_M)
    shares, _ = nnls(soft_confusion(source_NC, codes_N, weights_N), mean_C)
    return np.asarray(shares / shares.sum())
