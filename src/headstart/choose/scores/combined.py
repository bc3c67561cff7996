"""The default ordering of sources: the mean of their ranks by several scores.

Ranks need no common unit, and no single score is the best everywhere, so the mean rank is never far from the best.
Ranks are relative to the sources that are compared. `python -m benchmarks.ranking` shows how the scores were chosen.

Legend: S sources.

Example:
    >>> combined({"logme_scaled": [0.1, 0.4, 0.2], "probe_loss": [-0.9, -0.3, -0.2], "parc": [0.1, 0.3, 0.2]}).round(2)
    array([0.  , 0.83, 0.67])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

DEFAULT = ("logme_scaled", "probe_loss", "parc")


def combined(scores: Mapping[str, Sequence[float]], names: Sequence[str] = DEFAULT) -> NDArray[np.float64]:
    """Return a score per source, of shape (S,): the mean of its ranks, from 0 (the worst) to 1 (the best).

    Args:
        scores: by name, one number per source, larger is better.
        names: of the scores that count; those that are missing (of labels and quantities) are passed over.

    Raises:
        ValueError: none of the scores is there.
    """
    used = [np.asarray(scores[name], dtype=np.float64) for name in names if name in scores]
    if not used:
        raise ValueError(f"none of the scores {', '.join(names)} was given")
    n_sources = len(used[0])
    ranks = np.stack([rankdata(values) - 1 for values in used])
    return np.asarray(ranks.mean(axis=0) / max(1, n_sources - 1))
