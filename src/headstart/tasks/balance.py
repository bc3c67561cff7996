"""Settings for rare classes in training: class weights and the adjustment of the scores by the classes' shares.

    weight      n / (C n_c) ("balanced" in scikit-learn: the mean over the training items is 1)
    shift       tau log pi of classes, tau log(pi / (1 - pi)) of labels (Menon et al. 2021, "Long-tail learning
                via logit adjustment", equation 10), added to the scores while training only

A class without a training item has weight 1, and counts as one item in its share pi.

Legend: N items, C classes or labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Balance:
    """How the loss of a training treats rare classes.

    Attributes:
        weight: of each class, or of an absent label, of shape (C,); None: all weigh the same.
        positive_weight: of a label that is present, relative to its weight when absent, of shape (C,), or None.
        shift: added to the scores, of shape (C,), or None.
        smoothing: share of the target that is spread over all classes.
    """

    weight: Tensor | None = None
    positive_weight: Tensor | None = None
    shift: Tensor | None = None
    smoothing: float = 0.0


def of_classes(
    targets: Tensor, n_classes: int, *, weighted: bool, adjustment: float, smoothing: float
) -> Balance:
    """Return the balance of classes that exclude each other.

    Args:
        targets: class of each training item, of shape (N,).
        n_classes: C.
        weighted: whether classes are weighted.
        adjustment: tau; 0 for none.
        smoothing: of the targets.
    """
    counts_C = torch.bincount(targets, minlength=n_classes)
    return Balance(
        weight=_weights(counts_C) if weighted else None,
        shift=adjustment * (counts_C.clamp(min=1) / len(targets)).log() if adjustment else None,
        smoothing=smoothing,
    )


def of_labels(targets: Tensor, *, weighted: bool, adjustment: float, smoothing: float) -> Balance:
    """Return the balance of labels, each of which is present or absent; arguments as of `of_classes`.

    Args:
        targets: 0 and 1 of the training items, of shape (N, C).
        weighted: whether the two values of a label are weighted.
        adjustment: tau; 0 for none.
        smoothing: of the targets.
    """
    positive_C = targets.sum(dim=0, dtype=torch.float64).round().long()
    counts_2C = torch.stack([len(targets) - positive_C, positive_C])
    weight = positive_weight = shift = None
    if weighted:
        weights_2C = _weights(counts_2C)
        weight, positive_weight = weights_2C[0], weights_2C[1] / weights_2C[0]
    if adjustment:
        negative_C, positive_C = counts_2C.clamp(min=1).double()
        shift = (adjustment * (positive_C / negative_C).log()).float()
    return Balance(weight, positive_weight, shift, smoothing)


def _weights(counts: Tensor) -> Tensor:
    """Class weights n / (K n_c) along the first dimension, K the classes that occur; the others weigh 1."""
    occurs = counts > 0
    n_items, n_classes = counts.sum(dim=0), occurs.sum(dim=0)
    weights = n_items.double() / (n_classes * counts.clamp(min=1)).double()
    return torch.where(occurs, weights, torch.ones_like(weights)).float()
