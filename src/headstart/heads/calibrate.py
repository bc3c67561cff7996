"""Temperature scaling: one number that calibrates held-out probabilities.

    minimise over T > 0: mean_i -log softmax(logits_i / T)_{y_i}     (Guo et al. 2017)

or, if an item may have several labels, the mean over items and labels of -log sigmoid(+-logits / T).

Fitted on out-of-fold logits; accuracy does not change. Labels are smoothed, since perfect separation would
drive T to 0; logits without information would drive it to infinity, so it is kept below 1,000 times their spread.

Weights of items or classes have no effect on it: probabilities refer to the data as it is. Of a head that was fitted
with weights, the temperature is the one at which the data as it is has the least log loss; it keeps the answers, so it
cannot take back by how much weights favour a class.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.interval import Interval
from headstart.metrics.skewed import skewed_mean
from headstart.metrics.spread import Units
from headstart.tasks import Task

CHUNK_CELLS = 1_000_000


def log_loss_of(
    logits_NC: NDArray[np.floating], labels: NDArray[Any], weights_N: NDArray[np.floating] | None = None
) -> float:
    """Return the mean negative log probability of the truth.

    Args:
        logits_NC: of shape (N, C).
        labels: class numbers of shape (N,), or 0 and 1 of shape (N, C).
        weights_N: of the items in the mean, of shape (N,); None: all the same.
    """
    return float(np.average(log_losses(logits_NC, labels), weights=weights_N))


def log_losses(logits_NC: NDArray[np.floating], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return the negative log probability of the truth for each item, of shape (N,), float64 over chunks of rows.

    Args:
        logits_NC: of shape (N, C).
        labels: class numbers of shape (N,), or 0 and 1 of shape (N, C): the mean over labels.
    """
    losses_N, n_rows = np.empty(len(labels)), max(1, CHUNK_CELLS // logits_NC.shape[1])
    for start in range(0, len(labels), n_rows):
        rows = slice(start, start + n_rows)
        chunk, truth = logits_NC[rows].astype(np.float64), labels[rows]
        if labels.ndim == 2:
            losses_N[rows] = (np.logaddexp(0.0, chunk) - truth * chunk).mean(axis=1)
            continue
        chunk -= chunk.max(axis=1, keepdims=True)
        own = chunk[np.arange(len(chunk)), truth]
        losses_N[rows] = np.log(np.exp(chunk, out=chunk).sum(axis=1)) - own
    return losses_N


def change_of_log_loss(
    logits_NC: NDArray[np.floating],
    temperatures: NDArray[np.floating],
    labels: NDArray[Any],
    units: Units | NDArray[Any] | None = None,
) -> tuple[float, float, Interval]:
    """Return the log loss before and after logits are divided by temperatures, and its paired change.

    Below 0 the temperatures helped.

    Args:
        logits_NC: of shape (N, C), of items that the temperatures were not fitted on.
        temperatures: of each item, of shape (N,).
        labels: class numbers of shape (N,), or 0 and 1 of shape (N, C).
        units: of shape (N,): items of one unit are not independent; None: every item is a unit of its own.
    """
    before = log_losses(logits_NC, labels)
    after = log_losses(logits_NC / temperatures[:, None], labels)
    return float(before.mean()), float(after.mean()), skewed_mean(after - before, units)


def temperature_for(task: Task, logits_NC: NDArray[np.floating], targets: NDArray[Any]) -> float:
    """Return the fitted temperature, or 1 for a quantity, which has no probabilities."""
    return fit_temperature(logits_NC, targets) if task.has_classes else 1.0


def fit_temperature(logits_NC: NDArray[np.floating], labels: NDArray[Any]) -> float:
    """Return the temperature with the least log loss against smoothed labels.

    A few dozen items are often separated perfectly; the plain optimum is then a temperature near 0, and the
    result is overconfident on other items. As in Platt scaling (Platt 1999, section 2.2), the label of N items
    counts (N + 1) / (N + 2) and the other classes share the rest.

    Args:
        logits_NC: out-of-fold logits of shape (N, C).
        labels: of shape (N,), or 0 and 1 of shape (N, C) for labels that do not exclude each other.
    """
    from scipy.optimize import minimize_scalar

    by_label = labels.ndim == 2
    centred = logits_NC if by_label else logits_NC - logits_NC.mean(axis=1, keepdims=True)
    spread = float(np.sqrt(np.square(centred, dtype=np.float64).mean()))
    if spread <= 0 or (logits_NC.shape[1] < 2 and not by_label):
        return 1.0
    logits = logits_NC / spread
    off = 1 / (len(labels) + 2)
    # Mean over items of the weighted sum of logits that the smoothed labels take; linear in 1 / T.
    if by_label:
        gap = off * float(((2.0 * labels - 1.0) * logits).mean(dtype=np.float64))
    else:
        own = float(logits[np.arange(len(labels)), labels].mean(dtype=np.float64))
        others = (float(logits.sum(axis=1, dtype=np.float64).mean()) - own) / (logits.shape[1] - 1)
        gap = off * (own - others)

    def loss(log_t: float) -> float:
        return log_loss_of(logits / np.exp(log_t), labels) + float(gap / np.exp(log_t))

    found = minimize_scalar(
        loss, bounds=(-np.log(1000), np.log(1000)), method="bounded", options={"xatol": 1e-4}
    )
    return float(np.exp(found.x) * spread)
