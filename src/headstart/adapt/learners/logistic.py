"""Logistic regression on the source items; the target items are not used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Domains
from headstart.adapt.learners.learner import Learner
from headstart.heads.logistic import fit_logistic
from headstart.heads.reduce import reduce, standardiser


def learn(domains: Domains) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Learn weights of shape (C, D) and biases of shape (C,) from the source items, weighted to the target's shares.

    Args:
        domains: in one space.
    """
    reduced = reduce(domains.source_ND, standardiser(domains.source_ND, "none"))
    weight_CR, bias_C = fit_logistic(
        reduced.z, domains.codes_N, domains.n_classes, domains.penalty, weights_N=domains.weights_N
    )
    weight_CD = reduced.weights(weight_CR)
    return weight_CD, bias_C - weight_CD @ reduced.standardiser.mean


LOGISTIC = Learner("logistic", "logistic regression on the source", learn)
