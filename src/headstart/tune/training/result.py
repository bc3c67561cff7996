"""The result of a training.

Legend: N items, C outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from headstart.heads.linear import LinearHead
from headstart.tune.objectives.validation import Score
from headstart.tune.recipes.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network with its head.

    Attributes:
        policy: the freeze policy, such as "first:4".
        cut: number of frozen stages.
        recipe: the settings it was trained with, epochs as run.
        state_dict: of the whole network, by name, float32, on the CPU; frozen tensors are untouched.
        head: on the last stage's vector; its temperature is fitted on validation.
        history: one row per epoch: epoch, train_loss, validation_loss (after temperature scaling),
            the quality by its name (validation_accuracy), lr, seconds; epoch 0 is the start, before any step.
        stopped_because: why training ended.
        best_epoch: the epoch whose weights these are; 0 is the start.
        validation: score on validation, or None without one.
        validation_logits: of shape (N, C), in the order of the validation items, or None.
        looks: quality and loss of each validation item in all that was compared there (every epoch, every share of
            WiSE-FT), each of shape (2, N).
        seconds: wall-clock time of this process's part of the training, stored prefix included.
        notes: what the user should know about it.
        evidence: what its choices are based on, as plain values by name, for metrics.json.
        share: how far from the start to the end of training the weights lie, if WiSE-FT chose it.
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
    validation_logits: NDArray[np.floating] | None = None
    looks: Sequence[NDArray[np.float32]] = field(default=())
    seconds: float = 0.0
    notes: Sequence[str] = field(default=())
    evidence: Mapping[str, Any] = field(default_factory=dict)
    share: float | None = None


def wise_ft_notes(recipe: Recipe, share: float | None) -> tuple[str, ...]:
    """What the user should know about WiSE-FT, if the recipe asks for it."""
    if share is not None:
        return (f"WiSE-FT: {share:.0%} of the way from the start to the trained weights, by validation.",)
    if recipe.wise_ft:
        return ("WiSE-FT was left out: it chooses by validation items, and none were set aside.",)
    return ()
