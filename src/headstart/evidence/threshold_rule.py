"""How a threshold on the probability of a class is chosen on items that the model has not learned from.

    recall=r       the k-th largest probability of the P items of the class, k = ceil(r (P + 1)). A new item of the
                   class is as likely to stand at any of the P + 1 places among them, so its expected recall is at
                   least r (Vovk et al. 2005, split conformal prediction). Below r / (1 - r) items no threshold promises
                   that: then the smallest of the P probabilities is taken.
    precision=p    the smallest threshold at which right / (right + wrong + 1) is at least p. The one more wrong item
                   stands for the next one, and for the choice of the best of many thresholds (Barber and Candes 2015,
                   knockoff+).
    cost=c         1 / (1 + c), if a missed item costs c times a false alarm: right for calibrated probabilities, so no
                   items choose it (Elkan 2001, equation 2).

Legend: N items.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.errors import OptionError, did_you_mean

GOALS = ("recall", "precision", "cost")
_FORM = "CLASS:recall=0.95, CLASS:precision=0.9 or CLASS:cost=5 (a missed item costs 5 times a false alarm)"
COST_AND_WEIGHTS = (
    "Weights and a cost ask for the same twice: a cost counts on probabilities of the data as it is, and with weights "
    "those of rare or heavy items are larger. Leave out the weights, or ask for a recall or a precision."
)


@dataclass(frozen=True)
class ThresholdRule:
    """What a threshold is chosen for.

    Attributes:
        name: of the class or label.
        goal: one of GOALS.
        value: the least recall or precision, between 0 and 1, or the cost of a missed item in false alarms.
    """

    name: str
    goal: str
    value: float

    @classmethod
    def parse(cls, text: str) -> ThresholdRule:
        """Read a rule such as "pneumonia:recall=0.95".

        Raises:
            OptionError: it has another form, an unknown goal or a value outside of its range.
        """
        name, _, rule = text.rpartition(":")
        goal, _, written = rule.partition("=")
        if not name or not written:
            raise OptionError(f"--threshold must be {_FORM}, got '{text}'")
        goal = goal.strip()
        if goal not in GOALS:
            raise OptionError(
                f"--threshold {text}: '{goal}' must be recall, precision or cost.{did_you_mean(goal, GOALS)}"
            )
        try:
            value = float(written)
        except ValueError:
            value = math.nan
        limits = "above 0" if goal == "cost" else "between 0 and 1, both excluded"
        if not 0 < value < (math.inf if goal == "cost" else 1):
            raise OptionError(f"--threshold {text}: {goal} must be a number {limits}, got '{written}'")
        return cls(name, goal, value)

    @property
    def text(self) -> str:
        """The rule without the class, such as "recall=0.95"; every digit of the value is in it."""
        return f"{self.goal}={repr(self.value).removesuffix('.0')}"

    @property
    def least_items(self) -> int:
        """Items of the class from which on the rule can promise its goal on average."""
        return math.ceil(self.value / (1 - self.value) - 1e-9) if self.goal == "recall" else 1

    def chosen(self, positive: NDArray[np.bool_], probabilities: NDArray[np.floating]) -> float | None:
        """The threshold; None if no items of the class are there, or none reaches the precision.

        It lies halfway between the last item that is called and the next one, so that it depends on neither alone.

        Args:
            positive: whether each item is of the class, of shape (N,).
            probabilities: of the class, by a model that has not learned from the item, of shape (N,).
        """
        if self.goal == "cost":
            return 1.0 / (1.0 + self.value)
        p_N = np.asarray(probabilities, dtype=np.float64)
        if not positive.any():
            return None
        if self.goal == "recall":
            own = np.sort(p_N[positive])[::-1]
            least = own[min(math.ceil(self.value * (len(own) + 1) - 1e-9), len(own)) - 1]
        else:
            found = _least_with_precision(positive, p_N, self.value)
            if found is None:
                return None
            least = found
        below = p_N[p_N < least]
        return float((least + (below.max() if len(below) else 0.0)) / 2)


def _least_with_precision(
    positive: NDArray[np.bool_], probabilities: NDArray[np.float64], precision: float
) -> float | None:
    """The smallest probability that, as a threshold, has the precision with one more wrong item; None if none has."""
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    n_right = np.cumsum(positive[order])
    n_called = np.arange(1, len(ranked) + 1)
    is_last = np.append(ranked[1:] < ranked[:-1], True)  # items of equal probability are called together
    enough = np.flatnonzero(is_last & (n_right >= precision * (n_called + 1) - 1e-9))
    return float(ranked[enough[-1]]) if len(enough) else None
