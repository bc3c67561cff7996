"""Information maximisation: a linear layer that is sure of each target item, and gives each class its share.

    loss = mean_m H(p_m) + KL(mean_m p_m || shares)

added to the source loss with weight 0.1. With equal shares it is SHOT-IM of Liang, Hu and Feng (2020), "Do we really
need to access the source data?", equation 3, up to a constant: mean_m H(p_m) - H(mean_m p_m) is minus the mutual
information of items and predictions.

The shares are those of the target if they are estimated, else those of the source.

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

WEIGHT = 0.1


def mean_entropy(logits_MC: Tensor) -> Tensor:
    """Return the mean entropy of predictions, in nats.

    Args:
        logits_MC: of shape (M, C).
    """
    log_p = torch.log_softmax(logits_MC, dim=1)
    return -(log_p.exp() * log_p).sum(dim=1).mean()


def mutual_information(logits_MC: Tensor) -> Tensor:
    """Return the mutual information of items and predictions, from 0 to log C.

    Args:
        logits_MC: of shape (M, C).
    """
    mean_C = torch.softmax(logits_MC, dim=1).mean(dim=0)
    information: Tensor = -torch.special.xlogy(mean_C, mean_C).sum() - mean_entropy(logits_MC)
    return information


def divergence(logits_MC: Tensor, shares_C: Tensor) -> Tensor:
    """Return how far the mean prediction is from shares, KL(mean p || shares).

    Args:
        logits_MC: of shape (M, C).
        shares_C: of shape (C,), above 0.
    """
    mean_C = torch.softmax(logits_MC, dim=1).mean(dim=0)
    distance: Tensor = (torch.special.xlogy(mean_C, mean_C) - mean_C * shares_C.log()).sum()
    return distance


def learn(domains: Domains) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Learn weights of shape (C, D) and biases of shape (C,).

    Args:
        domains: in one space.
    """
    shares = domains.source_shares_C if domains.shares_C is None else domains.shares_C
    shares_C = torch.from_numpy(np.maximum(shares, 1e-6).astype(np.float32))

    def loss(logits_MC: Tensor) -> Tensor:
        return mean_entropy(logits_MC) + divergence(logits_MC, shares_C)

    return learn_with_target(domains, loss, WEIGHT)


INFOMAX = Learner("infomax", "information maximisation on the target", learn)
