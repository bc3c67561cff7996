"""Do target items belong to no class of the source? Distances to the nearest class, against those of source items.

Both domains are standardised by the source. In the `N_AXES` leading axes of both together, the distance of an item is
that to the nearest class mean, in units of the covariance within classes (Mahalanobis; Lee et al. 2018, "A simple
unified framework for detecting out-of-distribution samples", equation 2). Source items are measured out of fold.
Without a shift, 5% of target items would be beyond the 95% quantile of the source.

A change of domain makes items of known classes look new too, and an alignment, which gives the target the spread of the
source, hides new ones. So `diagnose` measures nothing where the A-distance is above `MOST_SHIFT`. The warning needs
many new items: between two halves of one PACS domain (3 domains, 3 divisions of 112 items each) it was given in 0 of 9
cases without a new class, in 1 of 9 with one new class of seven, in 8 of 9 with three.

Legend: N source items, M target items, D features, R axes, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.alignments.standardise import standardiser
from headstart.adapt.domains import Domains, Float
from headstart.data.splits import fold_indices
from headstart.errors import DataError
from headstart.heads.reduce import rotation
from headstart.heads.reduce import standardiser as standardiser_of_rows
from headstart.metrics.classification import mean_share
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Units

N_AXES = 30
SHRINK = 0.1  # of the covariance towards a multiple of the identity
LEAST_PER_CLASS = 5
MOST_ITEMS = 1000  # of the source
AXES_FROM = 300  # items of each domain
WARN_ABOVE = 0.2  # share of target items beyond the 95% quantile, of which the interval must be above
MOST_SHIFT = 1.2  # of the A-distance, above which nothing is measured


@dataclass(frozen=True)
class NewClasses:
    """How many target items lie far from every class of the source.

    Attributes:
        beyond_95: share of target items beyond the 95% quantile of source items; about 0.05 without a shift.
        beyond_99: the same for the 99% quantile.
    """

    beyond_95: Interval
    beyond_99: Interval

    @property
    def is_likely(self) -> bool:
        """Whether new classes are worth a warning."""
        return self.beyond_95.low is not None and self.beyond_95.low > WARN_ABOVE

    def to_json(self) -> dict[str, Any]:
        """The same as a dictionary that JSON can hold."""
        return {
            "is_likely": self.is_likely,
            "beyond_95": self.beyond_95.to_json(),
            "beyond_99": self.beyond_99.to_json(),
        }


def new_classes(domains: Domains, groups_M: NDArray[Any] | None = None) -> NewClasses:
    """Measure how many target items lie far from every class of the source.

    Args:
        domains: both domains.
        groups_M: what belongs together in the target, of shape (M,); None: every item is on its own.
    """
    why = _too_few(domains)
    if why:
        return NewClasses(Interval(None, why=why), Interval(None, why=why))
    rng = np.random.default_rng(domains.seed)
    rows = np.sort(rng.permutation(len(domains.codes_N))[:MOST_ITEMS])
    codes = domains.codes_N[rows]
    groups = None if domains.groups_N is None else domains.groups_N[rows]
    source, target = _on_axes(domains, rows, rng)
    try:
        folds = fold_indices(codes, groups, 5, domains.seed)
    except DataError:
        folds = np.arange(len(codes)) % 2
    own = np.empty(len(codes))
    for fold in np.unique(folds):
        out = folds == fold
        own[out] = _nearest(source[~out], codes[~out], source[out])
    distances = _nearest(source, codes, target)
    units = Units.of(groups_M, len(distances))
    beyond = [mean_share((distances > np.quantile(own, q)).astype(np.float64), units) for q in (0.95, 0.99)]
    return NewClasses(*beyond)


def _too_few(domains: Domains) -> str:
    counts = np.bincount(domains.codes_N, minlength=domains.n_classes)
    if counts[counts > 0].min() < LEAST_PER_CLASS:
        return f"a class of the source has under {LEAST_PER_CLASS} items"
    return "" if len(domains.target_MD) >= 2 else "too few target items"


def _on_axes(domains: Domains, rows: NDArray[np.intp], rng: np.random.Generator) -> tuple[Float, Float]:
    """Some source items and all target items on the leading axes of both, of shapes (N, R) and (M, R)."""
    how = standardiser(domains.source_ND[rows])
    source, target = how.apply(domains.source_ND[rows]), how.apply(domains.target_MD)
    # axes of one domain alone would hold more of its spread than of the other's, most with few items
    n_each = min(len(source), len(target), AXES_FROM)
    both = np.concatenate([each[rng.permutation(len(each))[:n_each]] for each in (source, target)])
    axes = rotation(both, standardiser_of_rows(both, "none")).axes[:, : max(1, min(N_AXES, n_each // 4))]
    return np.asarray(source @ axes, np.float64), np.asarray(target @ axes, np.float64)


def _nearest(source_NR: Float, codes_N: NDArray[np.integer], items_MR: Float) -> Float:
    """Squared distance of items to the nearest class mean, of shape (M,)."""
    names, codes = np.unique(codes_N, return_inverse=True)
    means = np.stack([source_NR[codes == c].mean(axis=0) for c in range(len(names))])
    within = source_NR - means[codes]
    covariance = within.T @ within / max(len(within) - len(names), 1)
    level = float(np.trace(covariance)) / len(covariance)
    covariance = (1 - SHRINK) * covariance + (SHRINK * level + 1e-12) * np.eye(len(covariance))
    root = np.linalg.inv(np.linalg.cholesky(covariance)).T
    items, centres = items_MR @ root, means @ root
    squared = np.square(items).sum(axis=1)[:, None] + np.square(centres).sum(axis=1) - 2 * items @ centres.T
    return np.asarray(squared.min(axis=1))
