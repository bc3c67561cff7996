"""How much more a cross-validated score varies than its standard error over items says.

The models of K folds share training items, so their errors are not independent, and what is estimated, the quality of
the procedure on new items, also varies with the items learned from. Standard errors over items know neither. Nadeau
and Bengio (2003), "Inference for the generalization error", multiply the variance by

    1 + K n_test / n_train = 1 + K / (K - 1)

for the share of items held out. Where a head settles with few items nothing needs to be added (Bayle et al. 2020);
where it does not, as with more features than items, the error is 1.2 to 1.4 times the standard error (Bates, Hastie
and Tibshirani 2023, "Cross-validation: what does it estimate and how well does it do it?"). Half of Nadeau and Bengio's
term is a compromise between both (docs/evidence.md).
"""

from __future__ import annotations

import math


def cross_validation_factor(n_folds: int) -> float:
    """Return what the standard error of a cross-validated score or gain is multiplied by: sqrt(1 + K / (K - 1) / 2).

    Args:
        n_folds: K, at least 2; 0 for one held-out part, whose factor is 1.

    >>> [round(cross_validation_factor(n), 2) for n in (0, 2, 5, 10)]
    [1.0, 1.41, 1.27, 1.25]
    """
    return math.sqrt(1.0 + n_folds / (n_folds - 1) / 2) if n_folds else 1.0
