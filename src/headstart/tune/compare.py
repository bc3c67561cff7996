"""Is a trained candidate better than the head alone? Paired, on the same validation items.

It is where

    its accuracy is higher by more than one standard error of the difference, or
    its accuracy is not lower and its log loss is lower by more than two standard errors of the difference,
    and by more than 0.01;

ties go to the reference. The log loss of both sides is taken after temperature scaling on these items. Where
items come in groups, the standard error is that of sums over groups.

Legend: N items, C classes, G groups.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.heads.linear import softmax
from headstart.tune.result import item_losses, score

LEAST_GAIN = 0.01  # a smaller difference of log loss is of no use, and may be rounding of the temperature


@dataclass(frozen=True)
class Comparison:
    """A candidate against a reference on the same items.

    Attributes:
        accuracy: of the candidate less that of the reference.
        accuracy_error: standard error of that difference.
        log_loss: of the reference less that of the candidate: positive where the candidate is better.
        log_loss_error: standard error of that difference.
    """

    accuracy: float
    accuracy_error: float
    log_loss: float
    log_loss_error: float

    @property
    def better(self) -> bool:
        """Whether the candidate passes the rule of this module."""
        if self.accuracy > self.accuracy_error:
            return True
        return self.accuracy >= 0 and self.log_loss > max(2 * self.log_loss_error, LEAST_GAIN)

    @property
    def words(self) -> str:
        """The comparison in a sentence."""
        points, error = 100 * self.accuracy, 100 * self.accuracy_error
        return (
            f"{points:+.1f} points of accuracy (standard error {error:.1f}), "
            f"log loss {-self.log_loss:+.3f} (standard error {self.log_loss_error:.3f}) "
            f"against the head alone: {'better' if self.better else 'not better'}"
        )


def compare(
    logits_NC: NDArray[np.floating],
    reference_NC: NDArray[np.floating],
    labels_N: NDArray[np.integer],
    groups_N: NDArray[Any] | None = None,
) -> Comparison:
    """Compare a candidate with the reference on the same items.

    Args:
        logits_NC: of the candidate, of shape (N, C).
        reference_NC: logits, or logarithms of probabilities, of the reference, of shape (N, C).
        labels_N: class indices, of shape (N,).
        groups_N: the group of each item, of shape (N,); None: every item is its own.
    """
    right = [(x.argmax(axis=1) == labels_N).astype(np.float64) for x in (logits_NC, reference_NC)]
    loss = [
        item_losses(softmax(x / score(x, labels_N).temperature), labels_N) for x in (logits_NC, reference_NC)
    ]
    accuracy, accuracy_error = _mean_and_error(right[0] - right[1], groups_N)
    log_loss, log_loss_error = _mean_and_error(loss[1] - loss[0], groups_N)
    return Comparison(accuracy, accuracy_error, log_loss, log_loss_error)


def _mean_and_error(differences_N: NDArray[np.float64], groups_N: NDArray[Any] | None) -> tuple[float, float]:
    """The mean of paired differences and its standard error, by groups where there are some."""
    n_items = len(differences_N)
    mean = float(differences_N.mean())
    parts: NDArray[np.float64] = differences_N - mean
    if groups_N is not None:
        _, group_of = np.unique(np.asarray(groups_N).astype(str), return_inverse=True)
        parts = np.bincount(group_of, weights=parts).astype(np.float64)
    n_parts = len(parts)
    if n_parts < 2:
        return mean, math.inf
    return mean, float(np.sqrt(n_parts / (n_parts - 1) * np.square(parts).sum()) / n_items)
