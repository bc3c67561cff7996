"""Subspace alignment: the principal axes of the source are turned to those of the target.

    z_source = (x - mean_source) / deviation_source  P_source P_source^T P_target
    z_target = (x - mean_target) / deviation_target  P_target

P of shape (D, R) are the leading principal axes of the standardised features of a domain (Fernando, Habrard, Sebban
and Tuytelaars, ICCV 2013, algorithm 1). R is the smallest number of axes that hold `EXPLAINED` of the variance in each
of the domains, at most `MOST_AXES`: axes of small variance are noise that differs between samples, and the paper's own
bound (its theorem 2) allows still fewer. Source items are weighted to the estimated class shares of the target.

Legend: N source items, M target items, D features, R axes.
"""

from __future__ import annotations

import numpy as np

from headstart.adapt.affine import Affine
from headstart.adapt.alignments.alignment import Alignment
from headstart.adapt.alignments.covariance import principal_axes
from headstart.adapt.alignments.standardise import each_standardised
from headstart.adapt.domains import Domains, Float

EXPLAINED = 0.95
MOST_AXES = 128


def n_axes(shares_R: Float, others_R: Float) -> int:
    """Return R for the shares of the variance along the axes of both domains, 0 if one has no axis."""
    needed = max(int(np.searchsorted(np.cumsum(shares), EXPLAINED)) + 1 for shares in (shares_R, others_R))
    return min(needed, MOST_AXES, len(shares_R), len(others_R))


def aligned_axes(source_DR: Float, target_DR: Float) -> Float:
    """Return P_source P_source^T P_target, of shape (D, R)."""
    return np.asarray(source_DR @ (source_DR.T @ target_DR))


def align(domains: Domains, n_components: int | None = None) -> tuple[Domains, Affine]:
    """Turn the subspace of the source to that of the target.

    Args:
        domains: the domains as they are.
        n_components: R; None: chosen as above.

    Returns:
        The domains in the common space, of shape (N, R) and (M, R), float32, and the map of the target; R is D, and
        nothing is turned, if no feature of a domain varies.
    """
    source_ND, target_MD, of_target = each_standardised(domains)
    source_axes, source_shares = principal_axes(source_ND, domains.aligning_N)
    target_axes, target_shares = principal_axes(target_MD, domains.balancing_M)
    count = n_axes(source_shares, target_shares)
    count = count if n_components is None else min(n_components, len(source_shares), len(target_shares))
    if not count:
        return domains.with_features(source_ND.astype("float32"), target_MD.astype("float32")), of_target
    source_axes, target_axes = source_axes[:, :count], target_axes[:, :count]
    source_NR = source_ND @ aligned_axes(source_axes, target_axes)
    mapped = domains.with_features(source_NR.astype("float32"), (target_MD @ target_axes).astype("float32"))
    return mapped, Affine(of_target.shift, of_target.scale, target_axes)


SUBSPACE = Alignment("subspace", "the source's principal axes turned to the target's", align)
