"""What a training gives back, and the validation score by which its epochs are compared.

Legend: N items, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from headstart.heads.calibrate import fit_temperature
from headstart.heads.linear import LinearHead, softmax
from headstart.tune.recipe import Recipe


@dataclass(frozen=True)
class Score:
    """How good a set of logits is on labelled items.

    Attributes:
        accuracy: share of items whose likeliest class is right.
        log_loss: mean of -log p(label) at the temperature.
        temperature: what the logits are divided by; the one with the least log loss.
    """

    accuracy: float
    log_loss: float
    temperature: float


def score(logits_NC: NDArray[np.floating], labels_N: NDArray[np.integer]) -> Score:
    """Score logits; the log loss is taken after temperature scaling, as the result will be used.

    Comparing epochs by the scaled log loss keeps a network from being stopped for overconfidence alone, which
    the temperature mends afterwards.

    Args:
        logits_NC: of shape (N, C).
        labels_N: of shape (N,), class indices.
    """
    temperature = fit_temperature(logits_NC, labels_N)
    losses = item_losses(softmax(logits_NC / temperature), labels_N)
    accuracy = float((logits_NC.argmax(axis=1) == labels_N).mean())
    return Score(accuracy, float(losses.mean()), temperature)


def item_losses(probabilities_NC: NDArray[np.floating], labels_N: NDArray[np.integer]) -> NDArray[np.float64]:
    """The log loss of each item, of shape (N,); a probability of 0 counts as 1e-12."""
    chosen = probabilities_NC[np.arange(len(labels_N)), labels_N].astype(np.float64)
    losses: NDArray[np.float64] = -np.log(np.clip(chosen, 1e-12, 1.0))
    return losses


@dataclass(frozen=True, eq=False)
class Tuned:
    """A trained network with its head.

    Attributes:
        policy: the freeze policy, such as "first:4".
        cut: number of frozen stages.
        recipe: the settings it was trained with, epochs as run.
        state_dict: of the whole network, by name, float32, on the CPU; frozen tensors are untouched.
        head: on the last stage's vector; its temperature is fitted on validation.
        history: a row an epoch: epoch, train_loss, validation_loss (after temperature scaling),
            validation_accuracy, lr, seconds; epoch 0 is the start, before any step.
        stopped_because: why training ended.
        best_epoch: the epoch whose weights these are; 0 is the start.
        validation: score on validation, or None without one.
        validation_logits: of shape (N, C), in the order of the validation items, or None.
        seconds: wall-clock time of this process's part of the training, stored prefix included.
        notes: what the user should know about it.
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
