"""Class shares of the target by expectation maximisation.

    r_mc = (q_c / p_c) P_mc / sum_d (q_d / p_d) P_md,   q_c <- mean_m r_mc

from q = p until q stands still: the maximum likelihood of the shares q, given calibrated probabilities P of a
classifier that was learned where the shares were p. Saerens, Latinne and Decaestecker (2002), "Adjusting the outputs
of a classifier to new a priori probabilities: a simple procedure", equations 2.8 and 2.9. The likelihood has one
maximum if the classes differ.

It needs calibrated probabilities (see `calibration`), and assumes label shift: what the items of a class look like is
the same in both domains. Where the domains differ otherwise the shares are wrong without any sign of it.

Legend: M target items, C classes.
"""

from __future__ import annotations

import numpy as np

from headstart.adapt.domains import Float

STEPS = 1000
TOLERANCE = 1e-6


def em_shares(
    probabilities_MC: Float,
    source_shares_C: Float,
    weights_M: Float | None = None,
    start_C: Float | None = None,
) -> Float:
    """Return the shares of the classes in the target, of shape (C,).

    Args:
        probabilities_MC: calibrated, of target items, of shape (M, C).
        source_shares_C: p above, of shape (C,); a class of share 0 keeps it.
        weights_M: of the items, of shape (M,); None: all the same.
        start_C: shares to begin from, of shape (C,), above 0; None: those of the source.
    """
    weights = np.ones(len(probabilities_MC)) if weights_M is None else weights_M
    weights = weights / weights.sum()
    there = source_shares_C > 0
    density_MC = probabilities_MC[:, there] / source_shares_C[there]
    shares = (source_shares_C if start_C is None else start_C)[there]
    for _ in range(STEPS):
        evidence_M = np.maximum(density_MC @ shares, 1e-300)
        new = shares * ((weights / evidence_M) @ density_MC)
        new /= new.sum()
        moved = float(np.abs(new - shares).max())
        shares = new
        if moved < TOLERANCE:
            break
    out = np.zeros(len(source_shares_C))
    out[there] = shares
    return out
