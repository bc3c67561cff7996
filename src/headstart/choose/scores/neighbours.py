"""Nearest neighbour, leaving one out: how often the nearest other item has the same class.

Distances are Euclidean, on features as they are. Neighbours at the same distance share the vote, so the order of items
has no effect; items of the same group are no neighbours. Constant features: the mean share of the own class among the
others, as drawing one at random gives.

Legend: N items, D features, B items of a block.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.choose.scores.sample import Float, Sample
from headstart.choose.scores.score import Score

BLOCK = 512
TIE = 1e-9  # of the mean square of the features


def neighbours(sample: Sample) -> float:
    """Return the leave-one-out accuracy of the nearest neighbour."""
    x_ND = np.asarray(sample.features, dtype=np.float64)
    x_ND = x_ND - x_ND.mean(axis=0)
    own_N = np.arange(len(sample))
    groups_N = (
        own_N if sample.groups is None else np.unique(sample.groups, return_inverse=True)[1].reshape(-1)
    )
    right = sum(
        float(_right(x_ND, sample.codes, groups_N, own_N[start : start + BLOCK]).sum())
        for start in range(0, len(sample), BLOCK)
    )
    return right / len(sample)


def _right(
    x_ND: Float, codes_N: NDArray[np.int64], groups_N: NDArray[np.intp], block_B: NDArray[np.intp]
) -> Float:
    """Return the share of the nearest neighbours that have an item's own class, of shape (B,)."""
    squares_N = np.square(x_ND).sum(axis=1)
    distances_BN = squares_N[block_B, None] - 2 * x_ND[block_B] @ x_ND.T + squares_N
    distances_BN[groups_N[block_B, None] == groups_N] = np.inf
    nearest_B1 = distances_BN.min(axis=1, keepdims=True)
    chosen_BN = (distances_BN <= nearest_B1 + TIE * squares_N.mean()) & np.isfinite(distances_BN)
    same_BN = chosen_BN & (codes_N[block_B, None] == codes_N)
    return np.asarray(same_BN.sum(axis=1) / np.maximum(chosen_BN.sum(axis=1), 1))


NEIGHBOURS = Score("neighbours", "1-NN", neighbours)
