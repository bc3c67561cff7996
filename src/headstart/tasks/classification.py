"""Classification: one class per item.

outputs       softmax(scores / T)
item loss     -log p(class)
item quality  1 if the likeliest class is right, else 0
training      -sum_c w_c p_c log softmax(scores + shift)_c, p the target, smoothed
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError
from headstart.metrics.classification import class_metrics
from headstart.metrics.differences import accuracy_difference
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Units
from headstart.tasks.activations import FLOOR, softmax
from headstart.tasks.labels import natural_order
from headstart.tasks.scale import TargetScale
from headstart.tasks.task import Float, Task, Words

if TYPE_CHECKING:
    from torch import Tensor

    from headstart.tasks.balance import Balance


class Classification(Task):
    """One class per item."""

    name = "classification"
    one_per_item = True
    quality = "accuracy"
    least_quality = 0.0
    headline = "accuracy"
    verdict_metric = "accuracy"
    problem_type = "single_label_classification"
    words = Words(
        outputs="classes",
        answer=("class", "classes"),
        labels="labels",
        purpose="Tells {n} classes of {units} apart",
        gives="one probability per class, in the order of `classes`",
        knows="It knows the classes above and nothing else: every item gets one of them.",
        loss="log loss",
        quality="accuracy",
        judged="balanced accuracy",
        constant=("Most frequent class", "always answers with the most frequent class"),
        best_constant="always answering with the most frequent class",
    )

    def quality_name(self, *, balanced: bool = False) -> str:
        """Key of the quality; `balanced`: with every class counting the same."""
        return "balanced_accuracy" if balanced else self.quality

    def names_in(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The distinct classes in natural order."""
        return natural_order(labels)

    def counts(self, labels: Iterable[str]) -> dict[str, int]:
        """How many items have each class."""
        return dict(Counter(labels))

    def encode(self, labels: Sequence[str], classes: tuple[str, ...]) -> NDArray[Any]:
        """Class numbers, int64 of shape (N,)."""
        number = {name: index for index, name in enumerate(classes)}
        try:
            return np.array([number[label] for label in labels], dtype=np.int64)
        except KeyError as error:
            raise DataError(f"The label {error} is not among the {len(classes)} classes given.") from None

    def decode(self, outputs_NC: NDArray[np.floating], classes: tuple[str, ...]) -> NDArray[Any]:
        """The likeliest class of each item."""
        names = np.array(classes, dtype=object)
        return np.asarray(names[outputs_NC.argmax(axis=1)]) if len(outputs_NC) else names[:0]

    def strata(self, targets: NDArray[Any]) -> NDArray[np.int64]:
        """The classes."""
        return targets

    def ridge_targets(self, targets: NDArray[Any], n_outputs: int, scale: TargetScale) -> Float:
        """Indicators: 1 where the item has the class, else 0."""
        y_NC = np.zeros((len(targets), n_outputs))
        y_NC[np.arange(len(targets)), targets] = 1.0
        return y_NC

    def activated(
        self, scores_NC: NDArray[np.floating], temperature: NDArray[np.floating] | float = 1.0
    ) -> NDArray[np.float32]:
        """Probabilities by softmax."""
        return softmax(scores_NC / temperature)

    def activated_tensor(self, scores_NC: Tensor, temperature: Tensor | float = 1.0) -> Tensor:
        """Probabilities by softmax."""
        import torch

        return torch.softmax(scores_NC / temperature, dim=1)

    def item_losses(self, outputs_NC: NDArray[np.floating], targets: NDArray[Any]) -> Float:
        """-log p(class)."""
        outputs = np.asarray(outputs_NC, dtype=np.float64)
        own = outputs[np.arange(len(targets)), targets.astype(np.intp)]
        return np.asarray(-np.log(np.clip(own, FLOOR, 1.0)))

    def item_quality(
        self,
        outputs_NC: NDArray[np.floating],
        targets: NDArray[Any],
        weights_N: NDArray[np.floating] | None = None,
    ) -> Float:
        """1, or the item's weight at a mean of 1, if the likeliest class is right, else 0."""
        right_N = np.asarray(outputs_NC.argmax(axis=1) == targets, dtype=np.float64)
        return right_N if weights_N is None else np.asarray(right_N * weights_N / np.mean(weights_N))

    def constant(
        self, targets: NDArray[Any], n_outputs: int, weights_N: NDArray[np.floating] | None = None
    ) -> Float:
        """The shares of the classes."""
        total = max(1, len(targets)) if weights_N is None else np.sum(weights_N)
        return np.asarray(np.bincount(targets.astype(np.intp), weights_N, minlength=n_outputs) / total)

    def metrics(
        self,
        targets: NDArray[Any],
        outputs_NC: NDArray[np.floating],
        units: Units | NDArray[Any] | None = None,
    ) -> dict[str, Interval]:
        """Every metric of classes."""
        return class_metrics(targets, outputs_NC, units)

    def difference(
        self,
        targets: NDArray[Any],
        outputs_NC: NDArray[np.floating],
        others_NC: NDArray[np.floating],
        units: Units | NDArray[Any] | None = None,
    ) -> Interval:
        """The paired difference in accuracy."""
        return accuracy_difference(targets, outputs_NC, others_NC, units)

    def balance(self, targets: Tensor, n_outputs: int, **how: Any) -> Balance:
        """Weights and shifts by the classes' shares."""
        from headstart.tasks.balance import of_classes

        return of_classes(targets, n_outputs, **how)

    def training_losses(self, scores_NC: Tensor, targets: Tensor, balance: Balance) -> Tensor:
        """The cross entropy of each item."""
        from torch.nn import functional

        if balance.shift is not None:
            scores_NC = scores_NC + balance.shift.to(scores_NC)
        weight = None if balance.weight is None else balance.weight.to(scores_NC)
        if targets.is_floating_point():
            targets = targets.to(scores_NC.dtype)
        return functional.cross_entropy(
            scores_NC, targets, weight=weight, reduction="none", label_smoothing=balance.smoothing
        )
