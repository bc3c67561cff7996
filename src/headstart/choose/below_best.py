"""Which of several candidates are clearly below the best one, on the same items.

The candidate with the highest mean is compared with every other one in paired differences. One is clearly below if its
difference, divided by its standard error, exceeds what the largest of all these differences exceeds by chance in 5% of
cases (max-t, see `metrics.simultaneous`). Right or wrong moves in steps of one item, so one item is taken off the
difference (the continuity correction of McNemar's test; Edwards 1948).

Legend: N items, K candidates.

Example:
    >>> right = np.zeros((60, 3)); right[:30, 0] = right[:50, 1] = right[1:50, 2] = 1
    >>> clearly_below_best(right, step=1.0).tolist()
    [True, False, False]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.simultaneous import bound
from headstart.metrics.spread import standard_errors

LEVEL = 0.05


def clearly_below_best(
    quality_NK: NDArray[np.floating],
    units: NDArray[Any] | None = None,
    *,
    step: float = 0.0,
    widen: float = 1.0,
) -> NDArray[np.bool_]:
    """Return whether each candidate is clearly below the one with the highest mean, of shape (K,).

    Args:
        quality_NK: of each item under each candidate, of shape (N, K).
        units: of shape (N,): items of one unit are not independent; None: every item is a unit of its own.
        step: by how much the quality of an item moves at least; 0 if it is continuous.
        widen: factor of the standard errors, for cross-validated qualities.
    """
    quality_NK = np.asarray(quality_NK, dtype=np.float64)
    best = int(np.argmax(quality_NK.mean(axis=0)))
    below_NK = quality_NK[:, [best]] - quality_NK
    limit = widen * bound(below_NK, units, level=LEVEL)
    if not np.isfinite(limit):
        return np.zeros(below_NK.shape[1], dtype=bool)
    errors_K = standard_errors(below_NK, units)
    return np.asarray(below_NK.mean(axis=0) - step / len(below_NK) > limit * errors_K)
