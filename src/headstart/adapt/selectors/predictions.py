"""Selectors that see the predicted probabilities of the target items only.

    nuclear norm   |P|_* / sqrt(M min(M, C))      P of shape (M, C); at most 1
    InfoMax        H(mean_m p_m) - mean_m H(p_m)  in nats, from 0 to log C

Both are large if every prediction is certain and all classes are predicted equally often. Neither knows whether a
prediction is right: a method that maximises one of them, such as `infomax`, is favoured by it.

Sources: Cui et al. 2020, "Towards discriminability and diversity: batch nuclear-norm maximization under label
insufficient situations", section 3; Bridle, Heading and MacKay 1991, "Unsupervised classifiers, mutual information and
'phantom targets'".

Legend: M target items, C classes.
"""

from __future__ import annotations

import numpy as np
from scipy.special import entr

from headstart.adapt.domains import Float
from headstart.adapt.selectors.candidate import Candidate
from headstart.adapt.selectors.selector import Selector


def nuclear_norm(p_MC: Float) -> float:
    """Return the sum of the singular values divided by the largest sum that probabilities can have.

    Args:
        p_MC: probabilities, of shape (M, C).
    """
    singular = np.linalg.svd(p_MC, compute_uv=False)
    return float(singular.sum() / np.sqrt(len(p_MC) * min(p_MC.shape)))


def mutual_information(p_MC: Float) -> float:
    """Return the mutual information of item and predicted class, in nats.

    Args:
        p_MC: probabilities, of shape (M, C).
    """
    return float(entr(p_MC.mean(axis=0)).sum() - entr(p_MC).sum(axis=1).mean())


def _nuclear_norm(candidate: Candidate) -> float:
    return nuclear_norm(candidate.probabilities_MC)


def _mutual_information(candidate: Candidate) -> float:
    return mutual_information(candidate.probabilities_MC)


NUCLEAR_NORM = Selector("nuclear", "nuclear norm of the predictions", _nuclear_norm)
INFOMAX = Selector("infomax", "mutual information of the predictions", _mutual_information)
