"""What logistic regression on the source predicts: for source items out of fold, for target items by all of them.

Legend: N source items, M target items, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.adapt.domains import Domains, Float
from headstart.data.splits import fold_indices
from headstart.heads.logistic import fit_logistic, logistic_path
from headstart.heads.reduce import reduce, standardiser

N_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Predictions:
    """Logits of both domains, not calibrated.

    Attributes:
        source_NC: of each source item by the fit without its fold, of shape (N, C).
        target_MC: of the target items, of shape (M, C).
    """

    source_NC: Float
    target_MC: Float


def predict(domains: Domains) -> Predictions:
    """Predict both domains.

    Args:
        domains: in one space; groups stay in one fold.

    Raises:
        DataError: the source has too few items or groups to hold some out.
    """
    folds = fold_indices(domains.codes_N, domains.groups_N, N_FOLDS, domains.seed)
    reduced = reduce(domains.source_ND, standardiser(domains.source_ND, "none"))
    settings = (reduced.z, domains.codes_N, domains.n_classes)
    (held_out_NC,) = logistic_path(*settings, folds, np.array([domains.penalty]))
    weight_CR, bias_C = fit_logistic(*settings, domains.penalty, tolerance=1e-3)
    target_MC = reduced.apply(domains.target_MD) @ weight_CR.T + bias_C
    return Predictions(held_out_NC.astype(np.float64), target_MC.astype(np.float64))
