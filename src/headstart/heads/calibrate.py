"""Temperature scaling: one number that makes held-out probabilities as honest as they can be.

    minimise over T > 0: mean_i -log softmax(logits_i / T)_{y_i}     (Guo et al. 2017)

Fitted on out-of-fold logits; accuracy does not change. Perfect separation would drive T to 0 and logits
that know nothing to infinity, so it is kept between 1/20 and 1,000 times the spread of the logits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def log_loss_of(logits_NC: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the mean negative log probability of the true class."""
    shifted = logits_NC - logits_NC.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted.astype(np.float64)).sum(axis=1))
    return float(np.mean(log_sum - shifted[np.arange(len(labels)), labels]))


def fit_temperature(logits_NC: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the temperature with the least log loss.

    Args:
        logits_NC: out-of-fold logits of shape (N, C).
        labels: of shape (N,).
    """
    from scipy.optimize import minimize_scalar

    spread = float(np.std(logits_NC - logits_NC.mean(axis=1, keepdims=True)))
    if spread <= 0 or logits_NC.shape[1] < 2:
        return 1.0
    logits = (logits_NC / spread).astype(np.float64)
    found = minimize_scalar(
        lambda log_t: log_loss_of(logits / np.exp(log_t), labels),
        bounds=(-np.log(20), np.log(1000)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(np.exp(found.x) * spread)
