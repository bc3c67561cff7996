"""Is a trained candidate better than the head alone? Paired, on the same validation items.

For classes it is better if

    its accuracy is higher by more than one standard error of the difference, or
    its accuracy is not lower and its log loss is lower by more than one standard error of the difference,
    and by more than 0.01.

Ties go to the head alone. If the head alone makes fewer than four errors on these items, nothing is better: even a
candidate that corrects all of them and makes no other would do so by chance once in eight times (sign test),
and then only their confidence could tell the two apart, which may not hold on other items. For labels and quantities,
quality and loss measure the same (the explained share of the log loss, R2), so a candidate is better if its quality is
higher by more than two standard errors and by more than 0.01. The log loss of both sides is taken after temperature
scaling on these items. If items come in groups, the standard error is that of sums over groups.

Legend: N items, C outputs, G groups.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.tasks import CLASSIFICATION, Task
from headstart.tune.objectives.validation import Score, score

LEAST_ERRORS = 4  # errors of the reference: with fewer, the p-value of a sign test cannot be below 0.1
LEAST_GAIN = 0.01  # a smaller difference of log loss is of no use, and may be rounding of the temperature


@dataclass(frozen=True)
class Comparison:
    """A candidate against a reference on the same items.

    Attributes:
        quality: of the candidate minus that of the reference: accuracy, or the explained share of the loss.
        quality_error: standard error of that difference.
        loss: of the reference minus that of the candidate: positive if the candidate is better; for a quantity
            as a share of its variance.
        loss_error: standard error of that difference.
        task: what is learned.
        has_room: whether the reference makes enough errors for a better candidate to show.
        balanced: whether every class counted the same.
    """

    quality: float
    quality_error: float
    loss: float
    loss_error: float
    task: Task = CLASSIFICATION
    has_room: bool = True
    balanced: bool = False

    @property
    def better(self) -> bool:
        """Whether the candidate passes the rule of this module."""
        if not self.task.one_per_item:
            return self.quality > max(2 * self.quality_error, LEAST_GAIN)
        if not self.has_room:
            return False
        if self.quality > self.quality_error:
            return True
        return self.quality >= 0 and self.loss > max(self.loss_error, LEAST_GAIN)

    @property
    def words(self) -> str:
        """The comparison in a sentence."""
        verdict = (
            "better" if self.better else "not better" if self.has_room else "too few errors there to tell"
        )
        end = f"against the head alone: {verdict}"
        if not self.task.one_per_item:
            return f"{self.quality:+.3f} of {self.task.words.quality} (standard error {self.quality_error:.3f}) {end}"
        points, error = 100 * self.quality, 100 * self.quality_error
        return (
            f"{points:+.1f} points of {'balanced ' if self.balanced else ''}accuracy (standard error {error:.1f}), "
            f"log loss {-self.loss:+.3f} (standard error {self.loss_error:.3f}) {end}"
        )


def compare(
    logits_NC: NDArray[np.floating],
    reference_NC: NDArray[np.floating],
    targets: NDArray[Any],
    groups_N: NDArray[Any] | None = None,
    task: Task = CLASSIFICATION,
    weights_N: NDArray[np.floating] | None = None,
) -> Comparison:
    """Compare a candidate with the reference on the same items.

    Args:
        logits_NC: of the candidate, of shape (N, C); for a quantity its values.
        reference_NC: the same of the reference (for classes, logarithms of probabilities do as well).
        targets: class indices of shape (N,), 0 and 1 of shape (N, C), or values of shape (N, 1).
        groups_N: the group of each item, of shape (N,); None: every item is its own.
        task: what is learned.
        weights_N: what each item counts, of shape (N,), of mean 1; None: all the same.
    """
    counts = 1.0 if weights_N is None else weights_N
    sides = [task.activated(x, score(x, targets, task).temperature) for x in (logits_NC, reference_NC)]
    good = [task.item_quality(x, targets) for x in sides]
    quality = _mean_and_error(counts * (good[0] - good[1]), groups_N)
    if not task.has_classes:
        return Comparison(*quality, *quality, task)
    loss = [task.item_losses(x, targets) for x in sides]
    has_room = not task.one_per_item or int((good[1] < 1).sum()) >= LEAST_ERRORS
    losses = _mean_and_error(counts * (loss[1] - loss[0]), groups_N)
    return Comparison(*quality, *losses, task, has_room, balanced=weights_N is not None)


class ValidationItems:
    """The items that candidates are compared on, and how good the head alone is on them.

    Args:
        head_alone_NC: outputs of the head alone, which was fitted without these items, of shape (N, C).
        targets: class indices of shape (N,), or what `score` takes for other tasks.
        groups_N: the group of each item, of shape (N,); None: every item is its own.
        task: what is learned.
        weights_N: what each item counts, of shape (N,), of mean 1; None: all the same.

    Attributes:
        head_alone: the score of the head alone.
        has_room: whether the head alone makes enough errors for a better candidate to show.
    """

    def __init__(
        self,
        head_alone_NC: NDArray[np.floating],
        targets: NDArray[Any],
        groups_N: NDArray[Any] | None = None,
        task: Task = CLASSIFICATION,
        weights_N: NDArray[np.floating] | None = None,
    ) -> None:
        self.head_alone_NC, self.targets, self.groups_N = head_alone_NC, targets, groups_N
        self.task, self.weights_N = task, weights_N
        self.head_alone = self.score(head_alone_NC)
        self.has_room = self.compare(head_alone_NC).has_room

    def score(self, logits_NC: NDArray[np.floating]) -> Score:
        """Score a candidate's logits."""
        return score(logits_NC, self.targets, self.task, self.weights_N)

    def compare(self, logits_NC: NDArray[np.floating]) -> Comparison:
        """Compare a candidate's logits with those of the head alone."""
        return compare(logits_NC, self.head_alone_NC, self.targets, self.groups_N, self.task, self.weights_N)


def _mean_and_error(differences_N: NDArray[np.float64], groups_N: NDArray[Any] | None) -> tuple[float, float]:
    """The mean of paired differences and its standard error, by groups if items come in groups."""
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
