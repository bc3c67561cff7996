"""Class shares of the target by the predictions of the method itself, a few times over.

    q_c = (sum_m P_mc + C p_c) / (M + C)
    v_m = sum_c P_mc p_c / q_c

P are the predicted probabilities of the target items, p the class shares of the source. With the weights v the classes
of the target have the shares p: an alignment of weighted target items does not take a difference in shares for one in
content. The learner is given the shares q. It predicts again, and so on.

Why not an estimate from unaligned domains (`em`, `bbse`): where the domains differ otherwise too, its shares are
wrong, and an alignment without shares moves large classes onto small ones. Here alignment and shares correct each
other. Balancing the statistics of a target by its predictions is the idea of Gong et al. 2022, "NOTE: robust continual
test-time adaptation against temporal correlation" (NeurIPS), section 3.2, for batch normalisation on a stream.

When not to use it: where the shares are those of the source, the errors of the predictions move them away from there.

Legend: M target items, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from headstart.adapt.affine import LinearClassifier
from headstart.adapt.domains import Domains, Float

Learn = Callable[[Domains], LinearClassifier]
"""Learns a classifier of raw features."""
ROUNDS = 4


def rebalanced(domains: Domains, learn: Learn) -> Domains:
    """Return the domains with class shares of the target and weights of its items.

    Args:
        domains: the source and target features.
        learn: aligns domains and learns from them.
    """
    domains = replace(domains, shares_C=None, balancing_M=None)
    for _ in range(ROUNDS):
        predicted_MC = learn(domains).probabilities(domains.target_MD)
        shares_C, weights_M = balance(predicted_MC, domains.source_shares_C)
        domains = replace(domains, shares_C=shares_C, balancing_M=weights_M)
    return domains


def balance(predicted_MC: Float, source_shares_C: Float) -> tuple[Float, Float]:
    """Return q, of shape (C,), and v, of shape (M,), mean 1.

    Args:
        predicted_MC: P above, of shape (M, C).
        source_shares_C: p above, of shape (C,).
    """
    n_items, n_classes = predicted_MC.shape
    shares_C = (predicted_MC.sum(axis=0) + n_classes * source_shares_C) / (n_items + n_classes)
    ratio_C = np.divide(source_shares_C, shares_C, out=np.zeros(n_classes), where=shares_C > 0)
    weights_M = predicted_MC @ ratio_C
    mean = weights_M.mean()
    return shares_C, weights_M / mean if mean > 0 else np.ones(n_items)
