"""A part of a large set in which every class has its share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def stratified_sample(codes: NDArray[np.integer], n_most: int, seed: int) -> NDArray[np.intp]:
    """Return all positions, or a sample in which every stratum has its share and at least two items."""
    if len(codes) <= n_most:
        return np.arange(len(codes))
    order = np.random.default_rng(seed).permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    counts = np.bincount(codes)
    wanted = np.minimum(counts, np.maximum(2, np.floor(counts * n_most / len(codes)).astype(int)))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    kept = [order[start : start + n] for start, n in zip(starts, wanted)]
    return np.sort(np.concatenate(kept))
