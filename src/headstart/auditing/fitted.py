"""The learning curve that is fitted to the points of a method, with its band.

Legend: N held-out items, S numbers of labels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart.auditing.curves import Held, seeds_of, values_of
from headstart.auditing.work import Measured
from headstart.evidence.learning_curve import LEAST_SIZES, fit_curve
from headstart.metrics.spread import Float
from headstart.runs.audit import Curve, Fitted


def with_fit(found: Curve, measured: Measured, held: Held) -> Curve:
    """A curve with what is fitted to its points, if they are enough.

    Args:
        found: the curve.
        measured: the method with its cells.
        held: the held-out items.
    """
    if found.role == "majority" or held.units.too_few or len(found.points) < LEAST_SIZES:
        return found
    sizes = [point.n_labels for point in found.points]
    first = seeds_of(measured, sizes[0])
    seeds = [seed for seed in first if all(seed in seeds_of(measured, size) for size in sizes)]
    if not seeds:
        return found
    values = [values_of(measured, size, seeds) for size in sizes]
    means_NS = np.stack([each.mean(axis=0) for each in values], axis=1)
    covariance = held.units.covariance((means_NS - means_NS.mean(axis=0)) / len(means_NS))
    if len(seeds) > 1:
        over = np.array([each.mean(axis=1).var(ddof=1) / len(seeds) for each in values])
        covariance = covariance + np.diag(over)
    is_share = held.kind == "accuracy"
    if is_share:  # a point at which all items are right has a variance of 0, and is not known exactly
        covariance = covariance + np.diag(
            np.maximum(0.0, _least_variance(means_NS, len(seeds)) - np.diag(covariance))
        )
    fitted = fit_curve(
        np.array([point.n_learned for point in found.points]),
        means_NS.mean(axis=0),
        covariance,
        rises=is_share,
        most=1.0 if is_share else 0.0,
    )
    most = 1.0 if is_share else np.inf
    rows = [np.clip(row, 0.0, most) for row in (fitted.value, fitted.low, fitted.high)]
    rows = [np.sqrt(row) for row in rows] if held.kind == "rmse" else rows
    return replace(
        found, fitted=Fitted(tuple(fitted.places.tolist()), *(tuple(row.tolist()) for row in rows))
    )


def _least_variance(means_NS: Float, n_seeds: int) -> Float:
    """The variance of shares of independent items with one right and one wrong item added, of shape (S,)."""
    n_items = len(means_NS)
    n_all = n_items * n_seeds
    smooth = (n_all * means_NS.mean(axis=0) + 1) / (n_all + 2)
    return np.asarray(smooth * (1 - smooth) / n_items)
