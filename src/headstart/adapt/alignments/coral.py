"""CORAL: the source gets the covariance of the target (Sun, Feng and Saenko, AAAI 2016, algorithm 1).

    z_source = (x - mean_source) / deviation_source  C_source^(-1/2) C_target^(1/2)
    z_target = (x - mean_target) / deviation_target

C are the covariances of the standardised features. As in the paper, features of each domain are standardised by
themselves first, so both means are 0 and whether the mean is moved too is no question. The paper adds the identity to
both covariances; here they are shrunk towards a multiple of it by an amount that is measured (`covariance`), which
also serves more features than items. Source items are weighted to the estimated class shares of the target.

Whitening and colouring gives the source more of the target's directions than its own classes may need: where few
items measure the covariances, or classes have other shares in the target, it can harm.

Legend: N source items, M target items, D features.
"""

from __future__ import annotations

from headstart.adapt.affine import Affine
from headstart.adapt.alignments.alignment import Alignment
from headstart.adapt.alignments.covariance import Covariance, covariance
from headstart.adapt.alignments.standardise import each_standardised
from headstart.adapt.domains import Domains, Float


def recoloured(z_ND: Float, of_source: Covariance, of_target: Covariance) -> Float:
    """Return z C_source^(-1/2) C_target^(1/2), of shape (N, D).

    Args:
        z_ND: centred features of source items.
        of_source: their covariance.
        of_target: the covariance of the target items.
    """
    return of_target.times(of_source.times(z_ND, -0.5), 0.5)


def align(domains: Domains) -> tuple[Domains, Affine]:
    """Give the source the covariance of the target.

    Args:
        domains: the domains as they are.

    Returns:
        The domains in the common space, of shape (N, D) and (M, D), float32, and the map of the target.
    """
    source_ND, target_MD, of_target = each_standardised(domains)
    before, after = covariance(source_ND, domains.aligning_N), covariance(target_MD, domains.balancing_M)
    source_ND = recoloured(source_ND, before, after)
    return domains.with_features(source_ND.astype("float32"), target_MD.astype("float32")), of_target


CORAL = Alignment("coral", "the source given the target's correlations (CORAL)", align)
