"""What training minimises: a loss an item for classes, labels or numbers, with what helps rare classes.

    classification  l_n = -sum_c w_c p_nc log softmax(z_n + tau log pi)_c     p: the target, smoothed
    multilabel      l_n = mean_c of the binary cross entropy of z_nc + tau log(pi_c / (1 - pi_c))
    regression      l_n = mean over outputs of (z - y)^2, y the standardised target

w are class weights, n / (C n_c) ("balanced" in scikit-learn: their mean over the training items is 1); pi are
the classes' shares of the training items. The logit adjustment (Menon et al. 2021, "Long-tail learning via
logit adjustment", equation 10) is added while training only, so that the plain scores z prefer no class for
being frequent. Weights and adjustment pull the same way: one of them is enough.

Weights belong to items of the whole training part, not of a batch: a batch without a class, or of one item, is
weighed as any other. A class without a training item has weight 1, and counts as one item in the prior.

Legend: N items, C classes, labels or outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.errors import OptionError
from headstart.tasks import CLASSIFICATION, Task
from headstart.tune.recipes.recipe import OF_CLASSES, Recipe


class Scorer(Protocol):
    """A head: embeddings of shape (N, D) to scores of shape (N, C)."""

    def logits(self, x_ND: Tensor, /) -> Tensor: ...


class Objective:
    """The loss of a training, one value an item.

    Args:
        task: what the targets are.
        recipe: its `class_weights`, `logit_adjustment` and `label_smoothing` are used.
        targets: of the training items: int64 of shape (N,) for classes, float32 of shape (N, C), 0 or 1, for
            labels, float32 of shape (N, 1) for numbers.
        n_outputs: C.

    Raises:
        OptionError: the recipe asks for something that only classes have, and the targets are numbers.
    """

    def __init__(self, task: Task, recipe: Recipe, targets: Tensor, n_outputs: int) -> None:
        self.task = task
        if not task.has_classes:
            self._refuse(recipe)
        self.balance = task.balance(
            targets,
            n_outputs,
            weighted=bool(recipe.class_weights),
            adjustment=recipe.logit_adjustment,
            smoothing=recipe.label_smoothing,
        )

    def losses(self, outputs_NC: Tensor, targets: Tensor) -> Tensor:
        """The loss of each item.

        Args:
            outputs_NC: scores before softmax or sigmoid, or predicted numbers.
            targets: of the same items, in the form that training targets have; of classes also as shares,
                float of shape (N, C) (what mixing gives).

        Returns:
            Of shape (N,), in the precision of the outputs.
        """
        return self.task.training_losses(outputs_NC, targets, self.balance)

    def item_losses(self, embedding_ND: Tensor, head: Scorer, targets: Tensor) -> Tensor:
        """The losses of embeddings under a head, of shape (N,)."""
        return self.losses(head.logits(embedding_ND), targets)

    def _refuse(self, recipe: Recipe) -> None:
        wrong = [name for name in OF_CLASSES if getattr(recipe, name)]
        if wrong:
            raise OptionError(f"{' and '.join(wrong)} of a recipe need classes, and the target is a number")


def l2_sp(parameters: Mapping[str, nn.Parameter], anchors: Mapping[str, Tensor], strength: float) -> Tensor:
    """The pull of pretrained weights towards where they started (Li et al. 2018, L2-SP).

        strength / 2 * sum over parameters of ||w - w_start||^2

    The head has no pretrained start: it has its weight decay (the paper's beta).

    Args:
        parameters: the trained parameters of the backbone, by name.
        anchors: their values at the start, by name; more of them do no harm.
        strength: the paper's alpha.

    Returns:
        A scalar, with gradients.
    """
    total: Tensor | None = None
    for name, parameter in parameters.items():
        squared = (parameter - anchors[name]).square().sum(dtype=torch.float32)
        total = squared if total is None else total + squared
    if total is None:
        return torch.zeros((), requires_grad=True)
    return 0.5 * strength * total


def weights_to_judge(
    recipe: Recipe, targets: NDArray[Any], task: Task = CLASSIFICATION
) -> NDArray[np.float64] | None:
    """What each validation item counts where the recipe weighs rare classes: every class the same.

    What is trained for rare classes and chosen by plain accuracy would be chosen against.

    Args:
        recipe: of the training.
        targets: of the validation items.
        task: what is learned.

    Returns:
        Of shape (N,), of mean 1; None: every item counts the same.
    """
    if not task.has_classes or not recipe.weighs_rare_classes:
        return None
    return balanced_weights(targets)


def balanced_weights(labels: NDArray[Any]) -> NDArray[np.float64]:
    """How often each item should be drawn, so that every class is drawn equally often.

    Args:
        labels: class indices of shape (N,), or 0 and 1 of shape (N, C): there an item's weight is the mean
            over labels of the weight of the value it has.

    Returns:
        Of shape (N,), positive, of mean 1.

    Raises:
        OptionError: the targets are numbers.
    """
    values = np.asarray(labels)
    if values.ndim == 1 and values.dtype.kind in "iub":
        _, class_of, counts = np.unique(values, return_inverse=True, return_counts=True)
        return np.asarray(len(values) / (len(counts) * counts[class_of]), dtype=np.float64)
    if values.ndim != 2 or not np.isin(values, (0, 1)).all():
        raise OptionError("balanced sampling needs classes, and the target is a number")
    columns = [balanced_weights(column) for column in values.astype(np.int64).T]
    return np.asarray(np.mean(columns, axis=0), dtype=np.float64)
