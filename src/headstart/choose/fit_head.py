"""The chosen head, fitted on all training items."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.choose.features import StageFeatures, StageRows, described
from headstart.choose.kinds import KINDS
from headstart.choose.tried_head import TriedHead
from headstart.errors import DataError
from headstart.heads.head import Head
from headstart.heads.reduce import CHUNK, Reduced, Rows
from headstart.heads.threads import single_threaded
from headstart.tasks import Targets


def fit_head(
    tried: TriedHead,
    reduced: Reduced,
    features: StageFeatures,
    encoded: NDArray[Any],
    targets: Targets,
    weights: NDArray[np.floating] | None = None,
) -> Head:
    """Fit a head on all items; in chunks if it was scored on a sample of them.

    Args:
        tried: what to fit.
        reduced: rotated features of its stages, of the items it was scored on.
        features: of all N items.
        encoded: targets of the N items.
        targets: the task with its C names.
        weights: of the N items, of shape (N,), of mean 1; None: all the same.

    Raises:
        DataError: a feature is not finite.
    """
    kind, more = KINDS[tried.kind], {} if weights is None else {"weights_N": weights}
    if len(reduced.z) == len(encoded):
        with single_threaded():
            return kind.fit(tried, reduced, encoded, targets, **more)
    rows = StageRows(features, tried.stages)
    _require_finite(rows, described(features, tried.stages))
    return kind.fit_streamed(tried, reduced, rows, encoded, targets, **more)


def _require_finite(rows: Rows, name: str) -> None:
    for start in range(0, rows.shape[0], CHUNK):
        finite = np.isfinite(rows[start : start + CHUNK]).all(axis=1)
        if not finite.all():
            raise DataError(
                f"The features of {name} are not finite for item {start + int(np.argmin(finite))}. "
                "Extract them in fp32 (--precision fp32), or look for broken weights or inputs."
            )
