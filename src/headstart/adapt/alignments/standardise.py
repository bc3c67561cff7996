"""No alignment (both domains standardised by the source), and each domain standardised by itself.

    none          z = (x - mean_source) / deviation_source     for both domains
    standardise   z = (x - mean_domain) / deviation_domain     for each domain

Where the class shares of the target are estimated, mean and deviation are those of weighted items, so that the classes
of both domains have the same shares: else a difference in class shares alone would move the domains onto each other.

Legend: N source items, M target items, D features.
"""

from __future__ import annotations

import numpy as np

from headstart.adapt.affine import Affine
from headstart.adapt.alignments.alignment import Alignment
from headstart.adapt.domains import Domains, Features, Float
from headstart.heads.reduce import HARDLY_VARIES


def standardiser(x_ND: Features, weights_N: Float | None = None) -> Affine:
    """Return the map that gives features mean 0 and deviation 1; one that hardly varies is only centred.

    Args:
        x_ND: of shape (N, D).
        weights_N: of the items; None: all the same.
    """
    x = np.asarray(x_ND, dtype=np.float64)
    mean = np.average(x, axis=0, weights=weights_N)
    deviation = np.sqrt(np.average(np.square(x - mean), axis=0, weights=weights_N))
    constant = deviation <= 1e-6 * np.abs(mean) + 1e-12
    if not constant.all():
        constant |= deviation < HARDLY_VARIES * np.median(deviation[~constant])
    return Affine(mean, np.where(constant, 1.0, deviation))


def each_standardised(domains: Domains) -> tuple[Float, Float, Affine]:
    """Standardise each domain by itself; alignments of the correlations start from here.

    Args:
        domains: the domains as they are.

    Returns:
        Features of the source of shape (N, D), of the target of shape (M, D), float64, and the map of the target.
    """
    of_source = standardiser(domains.source_ND, domains.aligning_N)
    of_target = standardiser(domains.target_MD, domains.balancing_M)
    source_ND = (domains.source_ND.astype(np.float64) - of_source.shift) / of_source.scale
    target_MD = (domains.target_MD.astype(np.float64) - of_target.shift) / of_target.scale
    return source_ND, target_MD, of_target


def _by_source(domains: Domains) -> tuple[Domains, Affine]:
    both = standardiser(domains.source_ND)
    return domains.with_features(both.apply(domains.source_ND), both.apply(domains.target_MD)), both


def _each_by_itself(domains: Domains) -> tuple[Domains, Affine]:
    source_ND, target_MD, of_target = each_standardised(domains)
    return domains.with_features(source_ND.astype(np.float32), target_MD.astype(np.float32)), of_target


NONE = Alignment("none", "no alignment", _by_source)
STANDARDISE = Alignment("standardise", "each domain standardised", _each_by_itself)
