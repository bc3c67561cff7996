"""The metrics of classes on held-out items, each with a 95% interval.

accuracy; balanced_accuracy (mean recall over the classes that occur); macro_f1 (over the classes that occur as
label or prediction); auroc (mean over classes of one against rest); average_precision (of the rarer of two
classes); log_loss; calibration_error (of the largest probability). Intervals: see `bounds` and each metric.

Legend: N items, C classes.

Example:
    >>> import numpy as np
    >>> p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    >>> class_metrics(np.array([0, 1, 1, 1]), p)["accuracy"].value
    0.75
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError
from headstart.metrics.auroc import auroc
from headstart.metrics.average_precision import average_precision
from headstart.metrics.bounds import bounded, positive, share
from headstart.metrics.calibration import calibration_error
from headstart.metrics.catalogue import in_order
from headstart.metrics.class_shares import balanced_accuracy, macro_f1
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Float, Units

FLOOR = 1e-15  # smallest probability in the log loss, as scikit-learn clips float64


def class_metrics(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    units: Units | NDArray[Any] | None = None,
) -> dict[str, Interval]:
    """Return every metric with its interval.

    Args:
        labels: class number of each item, of shape (N,), N >= 1.
        probabilities: of shape (N, C), rows summing to 1.
        units: what belongs together, of shape (N,); None: every item is a unit of its own.

    Returns:
        By key; auroc has value None if a class is absent or the only one, and average_precision is there for two
        classes only.
    """
    labels, p = checked(labels, probabilities)
    units = Units.of(units, len(labels))
    predicted = p.argmax(axis=1)
    hit = (predicted == labels).astype(np.float64)
    losses = -np.log(np.maximum(p[np.arange(len(p)), labels], FLOOR))
    result = {
        "accuracy": mean_share(hit, units),
        "balanced_accuracy": balanced_accuracy(labels, predicted, units),
        "macro_f1": macro_f1(labels, predicted, units),
        "auroc": auroc(labels, p, units),
        "log_loss": mean_loss(losses, units),
        "calibration_error": calibration_error(p.max(axis=1), hit, units),
    }
    if p.shape[1] == 2:
        rarer = rarer_class(labels)
        has = labels == rarer
        result["average_precision"] = average_precision([(has, p[:, rarer])] if has.any() else [], units)
    return {key: result[key] for key in in_order(result)}


def rarer_class(labels: NDArray[np.integer]) -> int:
    """Return the class of two that fewer items have; the first if both have as many.

    Args:
        labels: 0 or 1, of shape (N,).
    """
    return int(np.bincount(labels, minlength=2).argmin())


def mean_share(hit: Float, units: Units) -> Interval:
    """Return the share of items that are right, with its interval.

    Args:
        hit: 1 or 0, of shape (N,).
        units: of the items.
    """
    value = float(hit.mean())

    def make(units: Units) -> Interval:
        return share(value, len(hit) / units.design_effect((hit - value) / len(hit)), units.freedom)

    return bounded(value, units, make)


def mean_loss(losses: Float, units: Units, *, power: float = 1.0) -> Interval:
    """Return the mean of losses, or a power of it, with its interval.

    Args:
        losses: at least 0, of shape (N,).
        units: of the items.
        power: 1/2 for the root of a mean of squares.
    """
    mean = float(losses.mean())
    value = mean**power

    def make(units: Units) -> Interval:
        without = units.without(np.stack([losses, np.ones(len(losses))], axis=1))
        if without[:, 0].min() <= 0:
            whose = "no item has a loss" if mean <= 0 else "all loss is that of one unit"
            return Interval(value, why=f"{whose}, so nothing shows how much it varies")
        variance = units.jackknife(np.log(without[:, 0] / without[:, 1]))
        return positive(value, power * variance**0.5, units.freedom)

    return bounded(value, units, make)


def checked(
    labels: NDArray[np.integer], probabilities: NDArray[np.floating]
) -> tuple[NDArray[np.integer], Float]:
    """Return labels and float64 probabilities, refused when they do not belong together."""
    labels = np.asarray(labels)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if probabilities.ndim != 2 or len(labels) != len(probabilities) or len(labels) == 0:
        raise DataError(
            f"Metrics need probabilities of shape (n_items, n_classes) for n_items >= 1 labels, "
            f"got {probabilities.shape} and {len(labels)} labels."
        )
    if not np.isfinite(probabilities).all():
        raise DataError("Metrics need finite probabilities; some are not a number.")
    if labels.min() < 0 or labels.max() >= probabilities.shape[1]:
        raise DataError(
            f"0 <= label < {probabilities.shape[1]} must hold for probabilities of {probabilities.shape[1]} "
            f"classes, got labels from {labels.min()} to {labels.max()}."
        )
    return labels, np.asarray(probabilities, dtype=np.float64)
