"""The advised cut: how many stages to freeze if the network is trained, from the depth profile alone.

The first stage whose probe is not clearly below the best probe is the last one that is frozen (the simplest model that
is as good as the best, as in the one-standard-error rule of Breiman et al. 1984, with the 95% bound of all comparisons
in place of one standard error). Up to that stage, what the source has learned shows more and more of what is asked
for: it transfers (Yosinski et al. 2014). After it nothing more is gained, so these stages are made for the source's
own task, and they are what a training has to change. At least the last stage is trained. Training starts at the linear
probe (Kumar et al. 2022), which is why an early cut costs time rather than accuracy.

Legend: N items, S stages.

Example:
    >>> right = np.zeros((60, 4)); right[:20, 0] = right[:50, 1] = right[1:50, 2] = right[:40, 3] = 1
    >>> advised_cut(right, step=1.0)
    2
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.choose.below_best import clearly_below_best


def advised_cut(
    quality_NS: NDArray[np.floating],
    units: NDArray[Any] | None = None,
    *,
    step: float = 0.0,
    widen: float = 1.0,
) -> int:
    """Return the number of stages to freeze, from 0 to S - 1.

    Args:
        quality_NS: cross-validated quality of each training item under the probe of each stage, of shape (N, S).
        units: of shape (N,): items of one unit are not independent; None: every item is a unit of its own.
        step: by how much the quality of an item moves at least; 0 if it is continuous.
        widen: factor of the standard errors, for cross-validated qualities.
    """
    below_S = clearly_below_best(quality_NS, units, step=step, widen=widen)
    return min(int(np.argmin(below_S)) + 1, len(below_S) - 1)
