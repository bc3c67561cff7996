"""The default ordering of sources: the mean of their ranks by LogME and by the cross-validated loss.

One judges the fit to all items, the other predictions of items that were held out. Ranks need no common unit, and are
relative to the sources that are compared. `python -m benchmarks.ranking` shows how the scores were chosen.

Legend: S sources.

Example:
    >>> combined({"logme": [0.1, 0.4, 0.2], "probe_loss": [-0.9, -0.3, -0.2]}).tolist()
    [0.0, 0.75, 0.75]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

DEFAULT = ("logme", "probe_loss")


def combined(scores: Mapping[str, Sequence[float]], names: Sequence[str] = DEFAULT) -> NDArray[np.float64]:
    """Return a score per source, of shape (S,): the mean of its ranks, from 0 (the worst) to 1 (the best).

    Args:
        scores: by name, one number per source, larger is better.
        names: of the scores that count; those that are missing (of labels and quantities) are ignored.

    Raises:
        ValueError: none of the scores is there.
    """
    used = [np.asarray(scores[name], dtype=np.float64) for name in names if name in scores]
    if not used:
        raise ValueError(f"none of the scores {', '.join(names)} was given")
    n_sources = len(used[0])
    ranks = np.stack([rankdata(values) - 1 for values in used])
    return np.asarray(ranks.mean(axis=0) / max(1, n_sources - 1))
