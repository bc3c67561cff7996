"""Proxy A-distance: how well a linear classifier tells the domains apart on items that it did not learn from.

    A = 2 (1 - 2 err)

(Ben-David et al. 2007, "Analysis of representations for domain adaptation", section 5). 0: no better than chance; 2:
every item is separated. err is the mean of the errors of both domains, so that chance is one half, by 5-fold
cross-validation; items of one group are in one fold. Its interval is Wilson's on effective numbers of items
(`metrics.bounds`), wider for the folds (`evidence.folds`).

Legend: N source items, M target items, D features.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.shift.mmd import joint_units, sample
from headstart.data.splits import fold_indices
from headstart.errors import DataError
from headstart.evidence.folds import cross_validation_factor
from headstart.heads.logistic import logistic_path
from headstart.heads.reduce import reduce, standardiser
from headstart.metrics.classification import mean_share
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Units

MOST_ITEMS = 400  # per domain
PENALTY = 0.1  # per item, strong: with more features than items a weak one only follows the noise
N_FOLDS = 5
LEAST_ITEMS = 10  # per domain


def a_distance(
    source_ND: NDArray[np.floating],
    target_MD: NDArray[np.floating],
    *,
    groups_N: NDArray[Any] | None = None,
    groups_M: NDArray[Any] | None = None,
    seed: int = 0,
) -> Interval:
    """Return the proxy A-distance with its 95% interval; not defined for under `LEAST_ITEMS` items of a domain.

    Args:
        source_ND: of shape (N, D).
        target_MD: of shape (M, D).
        groups_N: what belongs together in the source, of shape (N,); None: every item is on its own.
        groups_M: the same of the target, of shape (M,).
        seed: of the sample and the folds.
    """
    n_each = min(len(source_ND), len(target_MD), MOST_ITEMS)
    if n_each < LEAST_ITEMS:
        return Interval(None, why=f"under {LEAST_ITEMS} items in a domain")
    rng = np.random.default_rng(seed)
    of_source, of_target = sample(len(source_ND), n_each, rng), sample(len(target_MD), n_each, rng)
    x = np.concatenate([source_ND[of_source], target_MD[of_target]]).astype(np.float32)
    domain = (np.arange(2 * n_each) >= n_each).astype(np.int64)
    units = None
    if groups_N is not None or groups_M is not None:
        units, _ = joint_units(groups_N, groups_M, of_source, of_target)
    try:
        folds = fold_indices(domain, units, N_FOLDS, seed)
    except DataError:
        return Interval(None, why="too few groups in a domain")
    z = reduce(x, standardiser(x)).z
    (logits,) = logistic_path(z, domain, 2, folds, np.array([PENALTY]), tolerance=1e-3)
    wrong = (logits.argmax(axis=1) != domain).astype(np.float64)
    factor = cross_validation_factor(len(np.unique(folds)))
    return _from_error(mean_share(wrong, Units.of(units, len(wrong), widen=factor)))


def _from_error(error: Interval) -> Interval:
    """The distance of an error; a classifier worse than chance tells nothing apart."""

    def distance(wrong: float | None) -> float | None:
        return None if wrong is None else max(0.0, 2 * (1 - 2 * wrong))

    return Interval(distance(error.value), distance(error.high), distance(error.low), error.why)
