"""How much each part of an item adds to an output: a ridge regression on which parts are present.

The output is computed for variants of the item in which each part is present with probability 1/2, and

    attributions = argmin_a  sum_m (f(z_m) - b - z_m a)^2 + |a|^2

is fitted to them (LIME, Ribeiro et al. 2016, with equal weights). Without the penalty its expectation is the Banzhaf
value of each part: the mean of what it adds over all sets of the other parts (Hammer and Holzman 1992), which noise
changes less than the Shapley value (Wang and Jia 2023, "Data Banzhaf"). Every variant is followed by its complement, so
that each part is present in exactly half of them. Only outputs are needed: it works with every run.

Legend: P parts, M variants.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Outputs = Callable[[np.ndarray], np.ndarray]  # bool (M, P), what is present, to float64 (M,)

AT_ONCE = 32  # variants in a batch
_LEAST_VARIANTS, _PER_PART = 64, 2
_PENALTY = 1.0


def n_variants(n_parts: int) -> int:
    """How many variants of an item are computed to explain it.

    Args:
        n_parts: P.
    """
    return _LEAST_VARIANTS + _PER_PART * n_parts


def attributions(outputs: Outputs, n_parts: int, seed: int = 0) -> np.ndarray:
    """What each part adds to an output.

    Args:
        outputs: gives the output of variants.
        n_parts: P, at least 1.
        seed: of the variants that are drawn.

    Returns:
        Of shape (P,), float64.
    """
    from sklearn.linear_model import Ridge

    variants = _variants(n_parts, n_variants(n_parts), seed)
    found = np.concatenate(
        [outputs(variants[start : start + AT_ONCE]) for start in range(0, len(variants), AT_ONCE)]
    )
    return np.asarray(Ridge(alpha=_PENALTY).fit(variants, found).coef_, np.float64)


def _variants(n_parts: int, n_drawn: int, seed: int) -> np.ndarray:
    """What is present in each variant, bool (M, P): each one that is drawn is followed by its complement."""
    drawn = np.random.default_rng(seed).random((n_drawn // 2, n_parts)) < 0.5
    return np.stack([drawn, ~drawn], axis=1).reshape(-1, n_parts)
