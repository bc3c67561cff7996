"""The metrics of labels (any number per item) on held-out items, each with a 95% interval.

mean_average_precision (over the labels that some item has); auroc (over those that some items have and others have
not); macro_f1 (over the labels that occur as label or prediction) and micro_f1, at a probability of 1/2; exact_match
(every label right); log_loss (mean over items and labels); calibration_error (of the probability of every label).
Intervals: see `bounds` and each metric.

Legend: N items, C labels.

Example:
    >>> y = np.array([[1, 0], [0, 1], [1, 1], [0, 0]])
    >>> p = np.array([[0.9, 0.2], [0.4, 0.8], [0.7, 0.1], [0.2, 0.3]])
    >>> label_metrics(y, p)["exact_match"].value
    0.75
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError
from headstart.metrics.auroc import mean_area
from headstart.metrics.average_precision import average_precision
from headstart.metrics.calibration import calibration_error
from headstart.metrics.catalogue import in_order
from headstart.metrics.classification import FLOOR, mean_loss, mean_share
from headstart.metrics.counts import Bin, reliability_bins
from headstart.metrics.f1 import macro_f1, micro_f1
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Float, Units


def label_metrics(
    labels: NDArray[Any],
    probabilities: NDArray[np.floating],
    units: Units | NDArray[Any] | None = None,
) -> dict[str, Interval]:
    """Return every metric with its interval.

    Args:
        labels: 0 and 1, of shape (N, C), N >= 1.
        probabilities: of shape (N, C).
        units: what belongs together, of shape (N,); None: every item is a unit of its own.
    """
    y, p = checked_labels(labels, probabilities)
    units = Units.of(units, len(y))
    actual, named = y.astype(np.float64), (p >= 0.5).astype(np.float64)
    occurring = [(y[:, c], p[:, c]) for c in range(y.shape[1]) if y[:, c].any()]
    losses = -np.log(np.maximum(np.where(y, p, 1 - p), FLOOR)).mean(axis=1)
    item = np.repeat(np.arange(len(y)), y.shape[1])
    result = {
        "mean_average_precision": average_precision(occurring, units),
        "macro_f1": macro_f1(actual, named, units),
        "micro_f1": micro_f1(actual, named, units),
        "auroc": mean_area([(has, score) for has, score in occurring if not has.all()], units),
        "exact_match": mean_share((actual == named).all(axis=1).astype(np.float64), units),
        "log_loss": mean_loss(losses, units),
        "calibration_error": calibration_error(p.ravel(), actual.ravel(), units, item),
    }
    return {key: result[key] for key in in_order(result)}


def checked_labels(
    labels: NDArray[Any], probabilities: NDArray[np.floating]
) -> tuple[NDArray[np.bool_], Float]:
    """Return labels as bool and float64 probabilities, refused when they do not belong together."""
    labels, p = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 2 or labels.shape != p.shape or len(p) == 0:
        raise DataError(
            f"Metrics of labels need probabilities and labels of one shape (n_items, n_labels), got {p.shape} "
            f"and {labels.shape}."
        )
    if not np.isfinite(p).all():
        raise DataError("Metrics need finite probabilities; some are not a number.")
    return labels > 0.5, p


@dataclass(frozen=True)
class LabelRow:
    """One label on the held-out items; None if a number is not defined.

    Attributes:
        name: of the label.
        n_items: that have it.
        n_named: that were given it.
        precision, recall, f1: at a probability of 1/2.
        average_precision: over all thresholds.
    """

    name: str
    n_items: int
    n_named: int
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None


def label_rows(
    labels: NDArray[Any], probabilities: NDArray[np.floating], names: tuple[str, ...]
) -> list[LabelRow]:
    """Return one row per label.

    Args:
        labels: 0 and 1, of shape (N, C).
        probabilities: of shape (N, C).
        names: C.
    """
    y, p = checked_labels(labels, probabilities)
    rows = []
    for column, name in enumerate(names):
        has, named = y[:, column], p[:, column] >= 0.5
        n_items, n_named, hits = int(has.sum()), int(named.sum()), int((has & named).sum())
        area = None
        if n_items:
            area = average_precision([(has, p[:, column])], Units.of(None, len(y))).value
        rows.append(
            LabelRow(
                name=name,
                n_items=n_items,
                n_named=n_named,
                precision=hits / n_named if n_named else None,
                recall=hits / n_items if n_items else None,
                f1=2 * hits / (n_items + n_named) if n_items + n_named else None,
                average_precision=area,
            )
        )
    return rows


def label_bins(
    labels: NDArray[Any],
    probabilities: NDArray[np.floating],
    units: Units | NDArray[Any] | None = None,
) -> list[Bin]:
    """Return 15 equal bins of the probability of every label.

    Args:
        labels: 0 and 1, of shape (N, C).
        probabilities: of shape (N, C).
        units: what belongs together, of shape (N,), the labels of one item included; None: the items.
    """
    y, p = checked_labels(labels, probabilities)
    of_items = Units.of(units, len(y))
    return reliability_bins(p.ravel(), y.ravel(), of_items.of_some(np.repeat(np.arange(len(y)), y.shape[1])))
