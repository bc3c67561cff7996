"""Is a training better than the head alone? One rule, for the candidates of a race and for a policy that was asked for.

Every look at the validation items counts: all epochs of all candidates, by accuracy and by log loss. From all of
them together comes the number of standard errors by which the best look is ahead by chance if no training is truly
better (sign_flips.py): it is exceeded with a probability of at most

    10% in a race          RACE
    20% for one policy     ASKED: its user has a reason to expect that training helps

For classes a training is better if

    its accuracy is higher by more than that bound, and by at least two items, or
    its accuracy is not lower, and its log loss is lower by more than that bound + b^2 / 2N and by more than 0.01.

The log loss of both sides is taken after temperature scaling on these items. A parameter that is fitted b standard
errors off its true value lowers the mean log loss of the same N items by about b^2 / 2N (the likelihood ratio, Wilks
1938): with 40 items and b = 2.5 that is 0.08, as much as a good training gains, and without this term equally good
trainings pass in 20% of races.

Ties go to the head alone, which costs less. If the head alone makes too few errors on these items (3 for one policy,
4 in a race), a training that corrects all of them, and makes no other, would do so by chance too often (sign test):
then only their confidence could tell the two apart, which may not hold on other items, and nothing is better. For
labels and quantities, quality and loss measure the same (the explained share of the log loss, R2), so a training is
better if its quality is higher by more than the bound and by more than 0.01. Items of one unit count together.

Legend: N items, C outputs, G units, L looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.spread import standard_error, unit_numbers
from headstart.tasks import CLASSIFICATION, Task
from headstart.tune.objectives.validation import Score, item_scores, score_of
from headstart.tune.race.sign_flips import chance_bound, least_units
from headstart.units import agreeing, counted

RACE = 0.08  # by flipped signs, which are exact for a single look: of many looks up to 10% pass
ASKED = 0.20
LEAST_ITEMS = 2  # net items that a gain of accuracy holds at least
LEAST_GAIN = 0.01  # a smaller difference of log loss is of no use, and may be rounding of the temperature

Look = NDArray[np.floating]
"""Quality and loss of each validation item under some weights, of shape (2, N)."""


@dataclass(frozen=True)
class Bound:
    """What chance gives: how far the best of several looks is ahead of the head alone if none is better.

    Attributes:
        errors: in standard errors.
        n_looks: the looks, L.
    """

    errors: float
    n_looks: int


@dataclass(frozen=True)
class Comparison:
    """A training against the head alone on the same items.

    Attributes:
        quality: of the training minus that of the head alone: accuracy, or the explained share of the loss.
        quality_error: standard error of that difference.
        loss: of the head alone minus that of the training: positive if the training is better.
        loss_error: standard error of that difference.
        bound: what chance gives.
        n_items: N.
        task: what is learned.
        cannot_tell: why nothing can be better on these items; "" if it can.
        balanced: whether every class counted the same.
        weighted: whether items counted by other weights.
    """

    quality: float
    quality_error: float
    loss: float
    loss_error: float
    bound: Bound
    n_items: int
    task: Task = CLASSIFICATION
    cannot_tell: str = ""
    balanced: bool = False
    weighted: bool = False

    @property
    def better(self) -> bool:
        """Whether the training passes the rule of this module."""
        if self.cannot_tell or not np.isfinite(self.bound.errors):
            return False
        if not self.task.one_per_item:
            return self._is_beyond(self.quality, self.quality_error) and self.quality > LEAST_GAIN
        by_items = self.quality * self.n_items > LEAST_ITEMS - 1e-6
        if by_items and self._is_beyond(self.quality, self.quality_error):
            return True
        beyond = self._is_beyond(self.loss - self._by_temperature, self.loss_error)
        return self.quality >= 0 and beyond and self.loss > LEAST_GAIN

    def _is_beyond(self, difference: float, error: float) -> bool:
        return difference > self.bound.errors * error

    @property
    def words(self) -> str:
        """The comparison in a sentence."""
        return f"{self.measured} against the head alone: {self.outcome}"

    @property
    def measured(self) -> str:
        """The differences in words."""
        if not self.task.one_per_item:
            return (
                f"{self.quality:+.3f} of {self.task.words.quality} (standard error {self.quality_error:.3f})"
            )
        points, error = 100 * self.quality, 100 * self.quality_error
        return (
            f"{points:+.1f} points of {self.counted}accuracy (standard error {error:.1f}), "
            f"log loss {-self.loss:+.3f} (standard error {self.loss_error:.3f})"
        )

    @property
    def counted(self) -> str:
        """How items counted, as a word before "accuracy", with a space after it; "" if all the same."""
        return "balanced " if self.balanced else "weighted " if self.weighted else ""

    @property
    def outcome(self) -> str:
        """The outcome in words, with what it takes."""
        if self.cannot_tell:
            return self.cannot_tell
        n_looks, errors = self.bound.n_looks, self.bound.errors
        whose = (
            "chance explains"
            if n_looks == 1
            else f"the best of {n_looks} epochs and candidates has by chance"
        )
        least = f"{100 * errors * self.quality_error:.1f} points"
        if not self.task.one_per_item:
            least = f"{errors * self.quality_error:.3f}"
        elif np.isfinite(errors):
            least += f" or a log loss lower by {errors * self.loss_error + self._by_temperature:.3f}"
        return f"{'better' if self.better else 'not better'} ({whose} up to {least})"

    @property
    def _by_temperature(self) -> float:
        """How much a temperature that is fitted on the same items lowers the log loss by chance."""
        return self.bound.errors**2 / (2 * self.n_items)


class ValidationItems:
    """The items that trainings are compared on, and how good the head alone is on them.

    Args:
        head_alone_NC: outputs of the head alone, which was fitted without these items, of shape (N, C).
        targets: class indices of shape (N,), or what `score` takes for other tasks.
        units_N: what belongs together, of shape (N,): groups, copies; None: every item is its own.
        task: what is learned.
        weights_N: what each item counts, of shape (N,), of mean 1; None: all the same.
        level: probability with which a training that is not better may pass.
        weighted: whether the weights are others than those that make every class count the same.
        named: how messages call the units, in the plural.

    Attributes:
        head_alone: the score of the head alone.
        too_few_units, too_few_errors: why nothing can be shown to be better on these items, as a clause; "" if it can.
    """

    def __init__(
        self,
        head_alone_NC: NDArray[np.floating],
        targets: NDArray[Any],
        units_N: NDArray[Any] | None = None,
        task: Task = CLASSIFICATION,
        weights_N: NDArray[np.floating] | None = None,
        *,
        level: float = RACE,
        weighted: bool = False,
        named: str = "items",
    ) -> None:
        self.targets, self.units_N, self.task, self.weights_N = targets, units_N, task, weights_N
        self.weighted = weighted
        self.level, self._reference, self.n_items = level, self.look(head_alone_NC), len(targets)
        self.head_alone = self.score(head_alone_NC)
        self.too_few_units, self.too_few_errors = self._units(named), self._errors()

    @property
    def cannot_tell(self) -> str:
        """Why nothing can be shown to be better on these items, as a clause; "" if it can."""
        return self.too_few_units or self.too_few_errors

    def score(self, logits_NC: NDArray[np.floating]) -> Score:
        """Score a training's logits."""
        return score_of(*item_scores(logits_NC, self.targets, self.task), self.weights_N)

    def bound(self, looks: Sequence[Look]) -> Bound:
        """What chance gives if so much was looked at.

        Args:
            looks: all that were compared on these items, of all trainings.
        """
        if not looks:
            return Bound(float("inf"), 0)
        differences = [row for look in looks for row in self._differences(look)]
        errors = chance_bound(np.stack(differences, axis=1), self.units_N, level=self.level)
        return Bound(errors, len(looks))

    def compare(self, logits_NC: NDArray[np.floating], bound: Bound) -> Comparison:
        """Compare a training with the head alone.

        Args:
            logits_NC: of the training.
            bound: of all looks, those of this training among them.
        """
        found = [
            (float(row.mean()), standard_error(row, self.units_N))
            for row in self._differences(self.look(logits_NC))
        ]
        quality, loss = found[0], found[-1]
        balanced = self.weights_N is not None and not self.weighted
        return Comparison(
            *quality, *loss, bound, self.n_items, self.task, self.cannot_tell, balanced, self.weighted
        )

    def look(self, logits_NC: NDArray[np.floating]) -> Look:
        """Quality and loss of each item under a training."""
        return np.asarray(
            item_scores(logits_NC, self.targets, self.task)[0], dtype=np.float32
        )  # as looks are kept

    def _differences(self, look: Look) -> list[NDArray[np.float64]]:
        """How much better each item is than under the head alone: by quality, and for classes by loss too."""
        counts = 1.0 if self.weights_N is None else self.weights_N
        own, reference = np.asarray(look, np.float64), np.asarray(self._reference, np.float64)
        by_quality, by_loss = counts * (own[0] - reference[0]), counts * (reference[1] - own[1])
        return [by_quality, by_loss] if self.task.one_per_item else [by_quality]

    def _units(self, named: str) -> str:
        n_least, n_units = least_units(self.level), unit_numbers(self.units_N, self.n_items)[1]
        if n_units >= n_least:
            return ""
        return (
            f"there {agreeing(n_units, 'is', 'are')} {counted(n_units, named)} among the validation "
            f"items, and it takes {n_least} to show that a training is better"
        )

    def _errors(self) -> str:
        n_least, n_errors = least_units(self.level), int((self._reference[0] < 1).sum())
        if not self.task.one_per_item or n_errors >= n_least:
            return ""
        return (
            f"the head alone makes fewer than {n_least} errors on the validation items, too few to show that a "
            "training is better"
        )
