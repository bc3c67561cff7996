"""A linear classifier for other class shares than it was learned with.

    logits + log(q / p)     for shares q in place of p

which multiplies the odds of the classes by the ratio of the shares (Bayes' rule; Saerens et al. 2002, equation 2.4).
It is exact for a calibrated classifier; the result is linear again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.affine import LinearClassifier

Float = NDArray[np.float64]
LEAST_SHARE = 1e-6  # a class of share 0 stays finite: its bias falls by 14 at most


def log_ratio(source_shares_C: Float, shares_C: Float) -> Float:
    """Return log(q / p), of shape (C,); 0 for a class that the source lacks.

    Args:
        source_shares_C: p above, of shape (C,).
        shares_C: q above, of shape (C,).
    """
    known = source_shares_C > 0
    ratio = np.maximum(shares_C, LEAST_SHARE) / np.where(known, source_shares_C, 1)
    return np.where(known, np.log(ratio), 0.0)


def with_shares(classifier: LinearClassifier, source_shares_C: Float, shares_C: Float) -> LinearClassifier:
    """Return the classifier for other class shares.

    Args:
        classifier: calibrated where the shares are `source_shares_C`.
        source_shares_C: p above, of shape (C,).
        shares_C: q above, of shape (C,).
    """
    return LinearClassifier(classifier.weight, classifier.bias + log_ratio(source_shares_C, shares_C))
