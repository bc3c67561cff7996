"""Softmax and sigmoid of scores, float32 through float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
FLOOR = 1e-12  # smallest probability in a logarithm


def softmax(logits_NC: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the softmax of each row, float32; safe for large logits."""
    shifted = logits_NC - logits_NC.max(axis=1, keepdims=True)
    exponents = np.exp(shifted.astype(np.float64))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), dtype=np.float32)


def sigmoid(logits_NC: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the logistic function of each score, float32; safe for large ones."""
    from scipy.special import expit

    return np.asarray(expit(logits_NC.astype(np.float64)), dtype=np.float32)
