"""How epochs are compared: by a loss on held-out items; and the interface of a validation.

Legend: N items, C outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from headstart.backbone import Backbone
from headstart.heads.calibrate import temperature_for
from headstart.heads.linear import LinearHeadModule
from headstart.tasks import CLASSIFICATION, Task
from headstart.tune.feeds.feed import Labelled, Machine, embed_all
from headstart.tune.objectives.supervised import weights_to_judge
from headstart.tune.policies.freeze import Freeze
from headstart.tune.recipes.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Measured:
    """The score of the present weights.

    Attributes:
        loss: epochs are compared by it; the smallest is the best.
        quality: for the history; larger is better.
        outputs: kept with the best weights, such as scores of items.
        items_2N: quality and loss of each item (see `item_scores`), kept of every epoch; None: not known.
    """

    loss: float
    quality: float
    outputs: Any = None
    items_2N: NDArray[np.floating] | None = None


class Validation(Protocol):
    """Measures the weights in place after each epoch."""

    @property
    def n_items(self) -> int: ...
    @property
    def quality_name(self) -> str:
        """Name of the quality in the history, such as "accuracy"."""
        ...

    def measure(self) -> Measured:
        """Measure the present weights, in eval mode."""
        ...


@dataclass(frozen=True)
class Score:
    """How good a set of logits is on labelled items.

    Attributes:
        quality: to maximise: accuracy (balanced, if classes count the same); for labels the explained share
            of the log loss, for a quantity R2.
        loss: to minimise: log loss at the temperature (for labels the mean over them), or mean squared error.
        temperature: what the logits are divided by; the one with the smallest log loss; 1 for a quantity.
    """

    quality: float
    loss: float
    temperature: float

    @property
    def accuracy(self) -> float:
        """The quality by its name for classes."""
        return self.quality

    @property
    def log_loss(self) -> float:
        """The loss by its name for classes and labels."""
        return self.loss


def score(
    logits_NC: NDArray[np.floating],
    targets: NDArray[Any],
    task: Task = CLASSIFICATION,
    weights_N: NDArray[np.floating] | None = None,
) -> Score:
    """Score logits; a log loss is taken after temperature scaling, as the result will be used.

    Comparing epochs by the scaled log loss keeps a network from being stopped only because it is
    overconfident, which the temperature corrects afterwards.

    Args:
        logits_NC: of shape (N, C); for a quantity its values.
        targets: class indices of shape (N,), 0 and 1 of shape (N, C), or values of shape (N, 1).
        task: what is learned.
        weights_N: weight of each item, of shape (N,) (the temperature is fitted without weights); None: all
            equal.
    """
    return score_of(*item_scores(logits_NC, targets, task), weights_N)


def item_scores(
    logits_NC: NDArray[np.floating], targets: NDArray[Any], task: Task = CLASSIFICATION
) -> tuple[NDArray[np.float64], float]:
    """Quality and loss of each item, of shape (2, N), and the temperature; arguments as of `score`."""
    temperature = temperature_for(task, logits_NC, targets)
    outputs = task.activated(logits_NC, temperature)
    return np.stack([task.item_quality(outputs, targets), task.item_losses(outputs, targets)]), temperature


def score_of(
    items_2N: NDArray[np.floating], temperature: float, weights_N: NDArray[np.floating] | None = None
) -> Score:
    """The means of `item_scores`."""
    quality, loss = np.average(items_2N, axis=1, weights=weights_N)
    return Score(float(quality), float(loss), temperature)


class HeldOut:
    """Validation on labelled items: the head's scores of their embeddings.

    Args:
        backbone: the staged network.
        freeze: the owner of its modes.
        head: the head.
        part: the items with their labels, and weights if they have any.
        recipe: if it weighs rare classes and items have no weights, every class counts the same; batches have at
            least its `batch_size`.
        machine: where and how.
        seed: random seed.
    """

    def __init__(
        self,
        backbone: Backbone,
        freeze: Freeze,
        head: LinearHeadModule,
        part: Labelled,
        recipe: Recipe,
        *,
        machine: Machine,
        seed: int,
    ) -> None:
        self.part, self.head = part, head
        self.n_items = part.feed.n_items
        self.weights_N, balanced = part.weights, part.balanced
        if self.weights_N is None:
            self.weights_N = weights_to_judge(recipe, part.labels, head.task)
            balanced = self.weights_N is not None
        self.quality_name = head.task.quality_name(balanced=balanced)
        self._backbone, self._freeze, self._machine = backbone, freeze, machine
        self._batch_size, self._seed = max(64, recipe.batch_size), seed

    def logits(self) -> NDArray[np.float32]:
        """Scores of every item, of shape (N, C), in eval mode and in the order of the items."""
        self._freeze.train(False)
        self.head.eval()
        embeddings = embed_all(
            self._backbone, self.part.feed, self._machine, batch_size=self._batch_size, seed=self._seed
        )
        with torch.no_grad():
            return self.head.logits(torch.from_numpy(embeddings).to(self._machine.device)).cpu().numpy()

    def score(self, logits_NC: NDArray[np.floating]) -> Score:
        """Score logits of the items; epochs are compared by this score."""
        return score(logits_NC, self.part.labels, self.head.task, self.weights_N)

    def measure(self) -> Measured:
        """Score the items by the present weights."""
        logits_NC = self.logits()
        items_2N, temperature = item_scores(logits_NC, self.part.labels, self.head.task)
        found = score_of(items_2N, temperature, self.weights_N)
        return Measured(found.log_loss, found.quality, logits_NC, items_2N)
