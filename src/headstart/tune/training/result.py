"""What a training gives back, and the validation score by which its epochs are compared.

Legend: N items, C outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from headstart.heads.calibrate import temperature_for
from headstart.heads.linear import LinearHead
from headstart.tasks import CLASSIFICATION, Task
from headstart.tune.recipes.recipe import Recipe


@dataclass(frozen=True)
class Score:
    """How good a set of logits is on labelled items.

    Attributes:
        quality: to maximise: accuracy (balanced, where classes count the same); for labels the explained share
            of the log loss, for a quantity R2.
        loss: to minimise: log loss at the temperature (for labels the mean over them), or mean squared error.
        temperature: what the logits are divided by, the one with the least log loss; 1 for a quantity.
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

    Comparing epochs by the scaled log loss keeps a network from being stopped for overconfidence alone, which
    the temperature mends afterwards.

    Args:
        logits_NC: of shape (N, C); for a quantity its values.
        targets: class indices of shape (N,), 0 and 1 of shape (N, C), or values of shape (N, 1).
        task: what is learned.
        weights_N: what each item counts, of shape (N,) (the temperature is that of the items as they come);
            None: all the same.
    """
    temperature = temperature_for(task, logits_NC, targets)
    outputs = task.activated(logits_NC, temperature)
    losses = task.item_losses(outputs, targets)
    quality = np.average(task.item_quality(outputs, targets), weights=weights_N)
    return Score(float(quality), float(np.average(losses, weights=weights_N)), temperature)


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network with its head.

    Attributes:
        policy: the freeze policy, such as "first:4".
        cut: number of frozen stages.
        recipe: the settings it was trained with, epochs as run.
        state_dict: of the whole network, by name, float32, on the CPU; frozen tensors are untouched.
        head: on the last stage's vector; its temperature is fitted on validation.
        history: a row an epoch: epoch, train_loss, validation_loss (after temperature scaling),
            the quality by its name (validation_accuracy), lr, seconds; epoch 0 is the start, before any step.
        stopped_because: why training ended.
        best_epoch: the epoch whose weights these are; 0 is the start.
        validation: score on validation, or None without one.
        validation_logits: of shape (N, C), in the order of the validation items, or None.
        seconds: wall-clock time of this process's part of the training, stored prefix included.
        notes: what the user should know about it.
        evidence: what its choices rest on, as plain values by name, for metrics.json.
        share: how far from the start to the end of training the weights lie, where WiSE-FT chose it.
    """

    policy: str
    cut: int
    recipe: Recipe
    state_dict: Mapping[str, Tensor]
    head: LinearHead
    history: Sequence[Mapping[str, Any]]
    stopped_because: str
    best_epoch: int
    validation: Score | None
    validation_logits: NDArray[np.float32] | None = None
    seconds: float = 0.0
    notes: Sequence[str] = field(default=())
    evidence: Mapping[str, Any] = field(default_factory=dict)
    share: float | None = None
