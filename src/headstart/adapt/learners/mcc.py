"""Minimum class confusion: a linear layer that does not take the classes of target items for each other.

    Y = softmax(logits / T),   v_m = M (1 + exp(-H(Y_m))) / sum_m (1 + exp(-H(Y_m)))
    A = Y' diag(v) Y,          loss = mean over classes c of (1 - A_cc / sum_d A_cd)

Jin, Wang, Long and Wang (2020), "Minimum class confusion for versatile domain adaptation", equations 2 to 8. The rows
of A are normalised, so a class with few items in the target counts as much as one with many. It is added to the source
loss with weight 1, as in the paper.

When not to use it: with many classes and few target items the rows of A are noise. It cannot see that a class is
missing in the target.

Legend: M target items, C classes.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headstart.adapt.domains import Domains
from headstart.adapt.learners.learner import Learner
from headstart.adapt.learners.with_target import learn_with_target

TEMPERATURE = 2.5
WEIGHT = 1.0


def class_confusion(logits_MC: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Return the confusion of classes, from 0 to 1 - 1 / C.

    Args:
        logits_MC: of shape (M, C).
        temperature: T above.
    """
    log_p = torch.log_softmax(logits_MC / temperature, dim=1)
    p = log_p.exp()
    certain_M = 1 + torch.exp((p * log_p).sum(dim=1))
    certain_M = certain_M.detach() * (len(p) / certain_M.detach().sum())  # a weight, not a part of the loss
    confusion_CC = (p * certain_M[:, None]).T @ p
    confusion_CC = confusion_CC / confusion_CC.sum(dim=1, keepdim=True).clamp(min=1e-12)
    return 1 - confusion_CC.diagonal().mean()


def learn(domains: Domains) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Learn weights of shape (C, D) and biases of shape (C,).

    Args:
        domains: in one space.
    """
    return learn_with_target(domains, class_confusion, WEIGHT)


MCC = Learner("mcc", "minimum class confusion on the target", learn)
