"""What training minimises: one loss per item, for classes, labels or numbers, with settings for rare classes.

    classification  l_n = -sum_c w_c p_nc log softmax(z_n + tau log pi)_c     p: the target, smoothed
    multilabel      l_n = mean_c of the binary cross entropy of z_nc + tau log(pi_c / (1 - pi_c))
    regression      l_n = mean over outputs of (z - y)^2, y the standardised target

w are class weights, n / (C n_c) ("balanced" in scikit-learn: their mean over the training items is 1); pi are
the classes' shares of the training items. The logit adjustment (Menon et al. 2021, "Long-tail learning via
logit adjustment", equation 10) is added while training only, so that the plain scores z do not prefer
frequent classes. Weights and adjustment act in the same direction: one of them is enough.

Weights belong to items of the whole training part, not of a batch: a batch without a class, or of one item, is
weighed as any other. A class without a training item has weight 1, and counts as one item in the prior.

Legend: N items, C classes, labels or outputs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headstart.errors import OptionError
from headstart.heads.linear import LinearHeadModule
from headstart.tasks import CLASSIFICATION, Task
from headstart.tune.objectives.objective import Objective, StepContext
from headstart.tune.recipes.recipe import OF_CLASSES, Recipe


class Supervised(Objective):
    """A head on the network's embedding, and its loss against the targets, one value per item.

    Args:
        head: at its starting weights; its task says what the targets are.
        recipe: its `class_weights`, `logit_adjustment` and `label_smoothing` are used.
        targets: of the training items: int64 of shape (N,) for classes, float32 of shape (N, C), 0 or 1, for
            labels, float32 of shape (N, 1) for numbers.

    Raises:
        OptionError: the recipe asks for something that only classes have, and the targets are numbers.
    """

    def __init__(self, head: LinearHeadModule, recipe: Recipe, targets: Tensor) -> None:
        super().__init__()
        self.head, self.task = head, head.task
        if not self.task.has_classes:
            self._refuse(recipe)
        self.balance = self.task.balance(
            targets,
            self.n_outputs,
            weighted=bool(recipe.class_weights),
            adjustment=recipe.logit_adjustment,
            smoothing=recipe.label_smoothing,
        )

    @property
    def n_outputs(self) -> int:
        """C."""
        return self.head.linear.out_features

    @property
    def random_loss(self) -> float | None:
        """The loss of a head that gives every class the same probability; None unless each item has one class."""
        one_of = self.task.has_classes and self.task.one_per_item
        return math.log(self.n_outputs) if one_of else None

    def forward(self, outputs: Tensor, targets: Tensor | None, context: StepContext) -> Tensor:
        """The losses of embeddings of shape (N, D) under the head, of shape (N,)."""
        assert targets is not None  # of labelled items
        return self.losses(self.head.logits(outputs.float()), targets)

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

    def _refuse(self, recipe: Recipe) -> None:
        wrong = [name for name in OF_CLASSES if getattr(recipe, name)]
        if wrong:
            raise OptionError(f"{' and '.join(wrong)} of a recipe need classes, and the target is a number")


def as_targets(labels: NDArray[Any]) -> Tensor:
    """Labels as the targets of a training: int64 for class indices, float32 for anything else."""
    values = np.asarray(labels)
    return torch.from_numpy(values.astype(np.int64 if values.dtype.kind in "iu" else np.float32))


def weights_to_judge(
    recipe: Recipe, targets: NDArray[Any], task: Task = CLASSIFICATION
) -> NDArray[np.float64] | None:
    """The weight of each validation item if the recipe weighs rare classes: every class counts the same.

    Otherwise plain accuracy would reject a network that was trained for rare classes.

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
