"""Multilabel: any number of labels per item, each present or absent.

outputs       sigmoid(scores / T), one per label
item loss     mean over the labels of -log p(the true value)
item quality  1 - loss / mean loss of the labels' shares
training      mean over the labels of the binary cross entropy of scores + shift
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError
from headstart.metrics.differences import loss_difference
from headstart.metrics.interval import Interval
from headstart.metrics.multilabel import label_metrics
from headstart.metrics.spread import Units
from headstart.tasks.activations import FLOOR, sigmoid
from headstart.tasks.labels import joined, label_names, natural_order
from headstart.tasks.scale import TargetScale
from headstart.tasks.task import Float, Task, Words

if TYPE_CHECKING:
    from torch import Tensor

    from headstart.tasks.balance import Balance

THRESHOLD = 0.5  # from which probability on an item gets a label
FEW = 5  # a combination of labels with fewer items is represented by its rarest label


class Multilabel(Task):
    """Any number of labels per item."""

    name = "multilabel"
    many_per_item = True
    quality = "explained_log_loss"
    headline = "mean_average_precision"
    verdict_metric = "log_loss"
    problem_type = "multi_label_classification"
    words = Words(
        outputs="labels",
        answer=("set of labels", "sets of labels"),
        labels="labels",
        purpose="Gives {units} any of {n} labels",
        gives="one probability per label (each on its own: they need not sum to 1), in the order of `classes`",
        knows="It knows the labels above and nothing else; an item gets those with a probability of 1/2 or "
        "more, and may get none.",
        loss="log loss",
        quality="the explained share of the log loss",
        judged="each label's presence and absence",
        constant=("Share of each label", "gives every item the labels' frequencies"),
        best_constant="the best constant answer",
    )

    def names_in(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The distinct labels in natural order."""
        return natural_order(name for text in labels for name in label_names(text))

    def counts(self, labels: Iterable[str]) -> dict[str, int]:
        """How many items have each label."""
        return dict(Counter(name for text in labels for name in label_names(text)))

    def encode(self, labels: Sequence[str], classes: tuple[str, ...]) -> NDArray[Any]:
        """0 and 1, float32 of shape (N, C)."""
        number = {name: index for index, name in enumerate(classes)}
        encoded = np.zeros((len(labels), len(classes)), dtype=np.float32)
        try:
            for row, label in enumerate(labels):
                encoded[row, [number[name] for name in label_names(label)]] = 1.0
        except KeyError as error:
            raise DataError(f"The label {error} is not among the {len(classes)} labels given.") from None
        return encoded

    def decode(self, outputs_NC: NDArray[np.floating], classes: tuple[str, ...]) -> NDArray[Any]:
        """The labels with a probability of at least 1/2, joined."""
        names = np.array(classes, dtype=object)
        texts = np.empty(len(outputs_NC), dtype=object)
        texts[:] = [joined(names[row >= THRESHOLD]) for row in outputs_NC]
        return texts

    def strata(self, targets: NDArray[Any]) -> NDArray[np.int64]:
        """Combinations of labels; rare combinations are joined by their rarest label."""
        if targets.size == 0:  # no items, or no item has any label
            return np.zeros(len(targets), dtype=np.int64)
        has = targets > 0.5
        codes, counts = np.unique(has, axis=0, return_inverse=True, return_counts=True)[1:]
        codes = codes.reshape(-1)
        rarest = np.where(has, has.sum(axis=0), len(has) + 1).argmin(axis=1)
        codes = np.where(counts[codes] < FEW, len(counts) + rarest, codes)
        alone = np.bincount(codes)[codes] < 2
        return np.where(alone, codes.max() + 1, codes).astype(np.int64)

    def ridge_targets(self, targets: NDArray[Any], n_outputs: int, scale: TargetScale) -> Float:
        """-1/2 and 1/2, so that a score of 0 is the threshold."""
        return np.asarray(targets, dtype=np.float64) - 0.5

    def activated(
        self, scores_NC: NDArray[np.floating], temperature: NDArray[np.floating] | float = 1.0
    ) -> NDArray[np.float32]:
        """Probabilities by the sigmoid, each on its own."""
        return sigmoid(scores_NC / temperature)

    def activated_tensor(self, scores_NC: Tensor, temperature: Tensor | float = 1.0) -> Tensor:
        """Probabilities by the sigmoid, each on its own."""
        import torch

        return torch.sigmoid(scores_NC / temperature)

    def item_losses(self, outputs_NC: NDArray[np.floating], targets: NDArray[Any]) -> Float:
        """The mean over the labels of -log p(the true value)."""
        outputs = np.asarray(outputs_NC, dtype=np.float64)
        truth = np.asarray(targets, dtype=np.float64)
        as_it_is = np.where(truth > 0.5, outputs, 1.0 - outputs)
        return np.asarray(-np.log(np.clip(as_it_is, FLOOR, 1.0)).mean(axis=1))

    def constant(
        self, targets: NDArray[Any], n_outputs: int, weights_N: NDArray[np.floating] | None = None
    ) -> Float:
        """The shares of the labels."""
        return np.asarray(np.average(targets.astype(np.float64), axis=0, weights=weights_N))

    def metrics(
        self,
        targets: NDArray[Any],
        outputs_NC: NDArray[np.floating],
        units: Units | NDArray[Any] | None = None,
    ) -> dict[str, Interval]:
        """Every metric of labels."""
        return label_metrics(targets, outputs_NC, units)

    def difference(
        self,
        targets: NDArray[Any],
        outputs_NC: NDArray[np.floating],
        others_NC: NDArray[np.floating],
        units: Units | NDArray[Any] | None = None,
    ) -> Interval:
        """The paired difference in the mean log loss."""
        losses = (self.item_losses(outputs_NC, targets), self.item_losses(others_NC, targets))
        return loss_difference(*losses, units)

    def balance(self, targets: Tensor, n_outputs: int, **how: Any) -> Balance:
        """Weights and shifts by the labels' shares."""
        from headstart.tasks.balance import of_labels

        return of_labels(targets, **how)

    def training_losses(self, scores_NC: Tensor, targets: Tensor, balance: Balance) -> Tensor:
        """The mean binary cross entropy of each item."""
        from torch.nn import functional

        if balance.shift is not None:
            scores_NC = scores_NC + balance.shift.to(scores_NC)
        weight = None if balance.weight is None else balance.weight.to(scores_NC)
        targets = targets.to(scores_NC.dtype)
        if balance.smoothing:
            targets = targets * (1 - balance.smoothing) + balance.smoothing / 2
        positive = None if balance.positive_weight is None else balance.positive_weight.to(scores_NC)
        return functional.binary_cross_entropy_with_logits(
            scores_NC, targets, weight=weight, pos_weight=positive, reduction="none"
        ).mean(dim=1)
