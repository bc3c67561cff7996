"""Regression: a quantity.

outputs       the scores themselves
item loss     (value - truth)^2
item quality  1 - loss / mean loss of the mean
training      (score - truth)^2 in the standardised unit
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError
from headstart.metrics.differences import loss_difference
from headstart.metrics.interval import Interval
from headstart.metrics.regression import value_metrics
from headstart.metrics.spread import Units
from headstart.tasks.scale import TargetScale
from headstart.tasks.task import Float, Task, Words

if TYPE_CHECKING:
    from torch import Tensor

    from headstart.tasks.balance import Balance

N_RANGES = 10
LARGEST = 1e100  # squares and their sums stay finite
FEW = 5  # items per range of values at least


class Regression(Task):
    """A quantity."""

    name = "regression"
    quality = "r2"
    headline = "r2"
    verdict_metric = "rmse"
    problem_type = "regression"
    dtype = np.float64
    words = Words(
        outputs="values",
        answer=("value", "values"),
        labels="values",
        purpose="Estimates the quantity `{target}` of {units}",
        gives="the value of `{target}`, in its own unit, float64 of shape `(N, 1)`",
        knows="Values outside the range it learned from are guesses.",
        loss="mean squared error",
        quality="R²",
        judged="",
        constant=("Mean of the training items", "always answers with the mean of the training items"),
        best_constant="the best constant answer",
    )

    def names_in(self, labels: Iterable[str]) -> tuple[str, ...]:
        """None."""
        return ()

    def counts(self, labels: Iterable[str]) -> dict[str, int]:
        """None."""
        return {}

    def encode(self, labels: Sequence[str], classes: tuple[str, ...]) -> NDArray[Any]:
        """Values, float64 of shape (N, 1)."""
        return np.array([[_number(label)] for label in labels], dtype=np.float64).reshape(-1, 1)

    def decode(self, outputs_NC: NDArray[np.floating], classes: tuple[str, ...]) -> NDArray[Any]:
        """Values, float64 of shape (N,)."""
        return np.asarray(outputs_NC[:, 0], dtype=np.float64)

    def strata(self, targets: NDArray[Any]) -> NDArray[np.int64]:
        """Ranges of the quantity, cut at its quantiles; at most ten."""
        if len(targets) == 0:
            return np.zeros(0, dtype=np.int64)
        values = targets[:, 0]
        n_bins = min(N_RANGES, max(1, len(values) // FEW))
        edges = np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:-1])
        return np.searchsorted(edges, values, side="right").astype(np.int64)

    def scale_of(self, targets: NDArray[Any]) -> TargetScale:
        """Mean and standard deviation of the training items."""
        return TargetScale.of(targets)

    def ridge_targets(self, targets: NDArray[Any], n_outputs: int, scale: TargetScale) -> Float:
        """Standardised values, so that sums of squares keep their digits."""
        return scale.standardised(targets)

    def activated(
        self, scores_NC: NDArray[np.floating], temperature: NDArray[np.floating] | float = 1.0
    ) -> NDArray[np.float64]:
        """The scores; a temperature has no effect."""
        return np.asarray(scores_NC, dtype=np.float64)

    def activated_tensor(self, scores_NC: Tensor, temperature: Tensor | float = 1.0) -> Tensor:
        """The scores; a temperature has no effect."""
        return scores_NC

    def item_losses(self, outputs_NC: NDArray[np.floating], targets: NDArray[Any]) -> Float:
        """The squared error."""
        outputs, truth = np.asarray(outputs_NC, dtype=np.float64), np.asarray(targets, dtype=np.float64)
        return np.asarray(np.square(outputs - truth).mean(axis=1))

    def constant(
        self, targets: NDArray[Any], n_outputs: int, weights_N: NDArray[np.floating] | None = None
    ) -> Float:
        """The mean."""
        return np.asarray(np.average(targets.astype(np.float64), axis=0, weights=weights_N))

    def metrics(
        self,
        targets: NDArray[Any],
        outputs_NC: NDArray[np.floating],
        units: Units | NDArray[Any] | None = None,
    ) -> dict[str, Interval]:
        """Every metric of a quantity."""
        return value_metrics(targets, outputs_NC, units)

    def difference(
        self,
        targets: NDArray[Any],
        outputs_NC: NDArray[np.floating],
        others_NC: NDArray[np.floating],
        units: Units | NDArray[Any] | None = None,
    ) -> Interval:
        """The paired difference in the root of the mean squared error."""
        losses = (self.item_losses(outputs_NC, targets), self.item_losses(others_NC, targets))
        return loss_difference(*losses, units, root=True)

    def training_losses(self, scores_NC: Tensor, targets: Tensor, balance: Balance) -> Tensor:
        """The squared error of each item."""
        return (scores_NC - targets.to(scores_NC.dtype)).square().mean(dim=1)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"'{text}' is not a number; a quantity needs one for every item.") from None
    if not np.isfinite(value):
        raise DataError(f"'{text}' is not finite; a quantity needs a finite number for every item.")
    if abs(value) > LARGEST:
        raise DataError(f"'{text}' is larger than {LARGEST:g}: give the quantity in a larger unit.")
    return value
