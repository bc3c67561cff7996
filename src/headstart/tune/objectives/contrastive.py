"""The class-contrastive stage: pull items of one class together and other items apart, before the head is fitted.

With a few labels per class, a head on frozen embeddings has little to learn from, and a network trained
through a head soon overfits. Few labels still give many pairs: N items give N (N - 1) / 2 of them. The loss
is that of SetFit (Tunstall et al. 2022, "Efficient few-shot learning without prompts"), a regression of the
cosine similarity s_ij of embeddings to 1 within a class and to 0 between classes,

    L = 1/2 mean over pairs of one class of (1 - s_ij)^2  +  1/2 mean over other pairs of s_ij^2

but over all pairs within a batch at once, from one matrix of similarities: no list of pairs is made (SetFit's
grows with the square of the labels), and every item of a batch runs through the network once, not once a pair.
The two means weigh equally, as in SetFit's oversampling of the rarer kind of pair.

Not for many labels: training through a head (`contrastive: 0`) learns more from hundreds per class.

Legend: N items of a batch, D features, C labels.

Example:
    >>> import torch
    >>> embeddings, classes = torch.eye(3)[[0, 0, 1]], torch.tensor([0, 0, 1])
    >>> float(Contrastive()(embeddings, classes).mean())
    0.0
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from headstart.errors import OptionError
from headstart.tune.objectives.objective import Objective, StepContext

FEW = 64  # up to this number of labels per class, all are used for training and none is set aside
KNOWN = 0.85  # from this cross-validated accuracy of the head alone on, training on few labels loses more than it gains


class Contrastive(Objective):
    """The loss above as an objective of the training loop; it has no parameters."""

    divisible = False  # half a batch has different pairs

    def forward(self, outputs: Tensor, targets: Tensor | None, context: StepContext | None = None) -> Tensor:
        """The loss of each item of a batch; their mean is L over all pairs of the batch.

        Args:
            outputs: embeddings of shape (N, D), of any norm.
            targets: classes, int64 of shape (N,), or labels, 0 or 1 of shape (N, C): two items form a pair if
                they share a label.
            context: not used.

        Returns:
            Of shape (N,); if a batch has no pairs of one kind, only the other kind counts.
        """
        assert targets is not None  # of labelled items
        unit_ND = functional.normalize(outputs.float(), dim=1)
        similarity_NN = unit_ND @ unit_ND.T
        alike_NN = _alike(targets)
        others_NN = ~torch.eye(len(alike_NN), dtype=torch.bool, device=alike_NN.device)
        total_N = similarity_NN.new_zeros(len(alike_NN))
        for pairs_NN, goal in ((alike_NN & others_NN, 1.0), (~alike_NN & others_NN, 0.0)):
            squared_NN = (similarity_NN - goal).square() * pairs_NN
            total_N = total_N + 0.5 * squared_NN.sum(dim=1) / pairs_NN.sum().clamp(min=1)
        return len(alike_NN) * total_N


def _alike(targets: Tensor) -> Tensor:
    """Which items form a pair of one class, bool of shape (N, N)."""
    if targets.ndim == 1:
        return targets[:, None] == targets[None, :]
    return targets.float() @ targets.float().T > 0


def pair_classes(targets: NDArray[Any]) -> NDArray[np.intp]:
    """A class of each item for planning batches: its class, or its set of labels.

    Args:
        targets: class indices of shape (N,), or 0 and 1 of shape (N, C).

    Raises:
        OptionError: the targets are numbers.
    """
    values = np.asarray(targets)
    if (values.ndim == 2 and not np.isin(values, (0, 1)).all()) or (
        values.dtype.kind == "f" and values.ndim == 1
    ):
        raise OptionError("the contrastive stage needs classes, and the target is a number")
    _, found = np.unique(values, axis=0, return_inverse=True)
    return found.reshape(len(values)).astype(np.intp)
