"""The density of the target divided by that of the source, from a classifier of the two domains.

    w(x) = p_target(x) / p_source(x) = (N / M) * P(target | x) / P(source | x)        (Bickel et al. 2009)

P is a logistic regression on cross-validated folds; its penalty is the one with the least out-of-fold loss. If none
has a smaller loss than the shares of the domains alone, the domains cannot be told apart and every ratio is 1. Ratios
are clipped: one item must not stand for more than `MOST` others, which keeps the variance of what is weighted finite.

Legend: N source items, M target items, D features, R features that are compared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Features, Float
from headstart.heads.logistic import logistic_path
from headstart.heads.reduce import reduce, standardiser

MOST = 20.0
N_LEADING = 64  # features compared at most: with more, few items can be separated by chance
PENALTIES = np.logspace(1, -4, 6)  # per item, from strong to weak


def density_ratio(
    source_NR: Features,
    target_MR: Features,
    folds_N: NDArray[np.integer],
    folds_M: NDArray[np.integer],
) -> Float:
    """Estimate the ratio at each source item, by a classifier that has not learned from it.

    Args:
        source_NR: of shape (N, R).
        target_MR: of shape (M, R).
        folds_N: fold of each source item, of shape (N,).
        folds_M: fold of each target item, of shape (M,).

    Returns:
        Of shape (N,), from 1 / `MOST` to `MOST`.
    """
    n_source, n_target = len(source_NR), len(target_MR)
    both = np.concatenate([source_NR, target_MR])
    is_target = np.repeat([0, 1], [n_source, n_target])
    z = reduce(both, standardiser(both)).z
    share = n_target / (n_source + n_target)
    least = -share * np.log(share) - (1 - share) * np.log(1 - share)
    log_odds_N = np.full(n_source, np.log(n_target / n_source))
    for logits in logistic_path(z, is_target, 2, np.concatenate([folds_N, folds_M]), PENALTIES):
        odds = (logits[:, 1] - logits[:, 0]).astype(np.float64)
        loss = float(np.logaddexp(0.0, np.where(is_target == 1, -odds, odds)).mean())
        if loss < least:
            least, log_odds_N = loss, odds[:n_source]
    limit = np.log(MOST)
    return np.asarray(np.exp(np.clip(log_odds_N + np.log(n_source / n_target), -limit, limit)))


def leading(
    source_ND: Features, target_MD: Features, n_most: int = N_LEADING, seed: int = 0
) -> tuple[Float, Float]:
    """Return the leading principal components of the items of both domains, features standardised together.

    Args:
        source_ND: of shape (N, D).
        target_MD: of shape (M, D).
        n_most: components; with no more features than that, these are only standardised.
        seed: of the randomised decomposition.

    Returns:
        Of shape (N, R) and (M, R).
    """
    both = np.concatenate([source_ND, target_MD])
    z = leading_components(standardiser(both).apply(both), n_most, seed)
    return z[: len(source_ND)], z[len(source_ND) :]


def leading_components(x_ND: Features, n_most: int, seed: int) -> Float:
    """Return the leading principal components of centred items, or the items if they have no more features.

    Args:
        x_ND: of shape (N, D).
        n_most: components.
        seed: of the randomised decomposition (Halko, Martinsson and Tropp 2011).
    """
    x_ND = np.asarray(x_ND)
    if x_ND.shape[1] <= n_most or len(x_ND) <= n_most:
        return np.asarray(x_ND, dtype=np.float64)
    from sklearn.utils.extmath import randomized_svd

    left, singular, _ = randomized_svd(x_ND, n_most, n_iter=2, random_state=seed)
    return np.asarray(left * singular, dtype=np.float64)
