"""Linear optimal transport: the source is moved by the cheapest map between two Gaussian distributions.

    z_source = (x - mean_source) / deviation_source  A
    z_target = (x - mean_target) / deviation_target
    A = C_source^(-1/2) (C_source^(1/2) C_target C_source^(1/2))^(1/2) C_source^(-1/2)

A is the one symmetric positive map that turns C_source into C_target (Flamary, Lounici and Ferrari 2019,
"Concentration bounds for linear Monge mapping estimation and optimal transport domain adaptation", equation 4). Of
all maps that do, it moves items least, so it turns features less than CORAL does. C are the shrunk covariances
of standardised features (`covariance`). With C_source = L L^T (Cholesky),

    A = L^(-T) (L^T C_target L)^(1/2) L^(-1)

needs one eigendecomposition. With far fewer items than features it is computed in the space of all items. Source
items are weighted to the estimated class shares of the target.

Legend: N source items, M target items, D features, Q coordinates.
"""

from __future__ import annotations

import numpy as np

from headstart.adapt.affine import Affine
from headstart.adapt.alignments.alignment import Alignment
from headstart.adapt.alignments.covariance import covariance_matrix
from headstart.adapt.alignments.standardise import each_standardised
from headstart.adapt.domains import Domains, Float


def transported(
    source_ND: Float,
    target_MD: Float,
    weights_N: Float | None = None,
    weights_M: Float | None = None,
    shrinkage: float | None = None,
) -> Float:
    """Move centred source items so that they have the covariance of the target.

    Args:
        source_ND: of shape (N, D), with (weighted) mean 0.
        target_MD: of shape (M, D), with (weighted) mean 0.
        weights_N: of the source items; None: all the same.
        weights_M: of the target items; None: all the same.
        shrinkage: of the covariances; None: measured.

    Returns:
        z A, of shape (N, D).
    """
    n_features = source_ND.shape[1]
    basis_DQ = None
    if 2 * (len(source_ND) + len(target_MD)) < n_features:
        basis_DQ, _ = np.linalg.qr(np.concatenate([source_ND, target_MD]).T)
        source_ND, target_MD = source_ND @ basis_DQ, target_MD @ basis_DQ
    source_QQ = covariance_matrix(source_ND, n_features, weights_N, shrinkage)
    target_QQ = covariance_matrix(target_MD, n_features, weights_M, shrinkage)
    moved_NQ = source_ND @ _monge(source_QQ, target_QQ)
    return np.asarray(moved_NQ if basis_DQ is None else moved_NQ @ basis_DQ.T)


def align(domains: Domains) -> tuple[Domains, Affine]:
    """Move the source onto the target.

    Args:
        domains: the domains as they are.

    Returns:
        The domains in the common space, of shape (N, D) and (M, D), float32, and the map of the target.
    """
    source_ND, target_MD, of_target = each_standardised(domains)
    source_ND = transported(source_ND, target_MD, domains.aligning_N, domains.balancing_M)
    return domains.with_features(source_ND.astype("float32"), target_MD.astype("float32")), of_target


def _monge(source_QQ: Float, target_QQ: Float) -> Float:
    """Return A for two covariances."""
    from scipy.linalg import cholesky, eigh, solve_triangular

    lower = cholesky(source_QQ, lower=True, check_finite=False)
    values, vectors = eigh(lower.T @ target_QQ @ lower, check_finite=False, driver="evd")
    # A = B B^T with B = L^(-T) V values^(1/4), which keeps it symmetric
    half = solve_triangular(
        lower, vectors * np.maximum(values, 0.0) ** 0.25, lower=True, trans="T", check_finite=False
    )
    return np.asarray(half @ half.T)


LINEAR_OT = Alignment("linear-ot", "the source moved by linear optimal transport", align)
