"""The metrics of classes on held-out items, each with a 95% interval.

accuracy; balanced_accuracy (mean recall over the classes that occur); macro_f1 (over the classes that
occur as label or prediction); auroc (mean over classes of one against rest); average_precision (of the rarer of
two classes); log_loss; ece (15 equal bins of the largest probability). Intervals: see `bootstrap`.

Legend: N items, C classes, B resamples, G groups.

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
from headstart.metrics.bootstrap import N_RESAMPLES, Float, group_numbers, interval, resample_counts
from headstart.metrics.catalogue import in_order
from headstart.metrics.interval import Interval

N_BINS = 15
FLOOR = 1e-15  # smallest probability in the log loss, as scikit-learn clips float64


def class_metrics(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    groups: NDArray[np.object_] | None = None,
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return every metric with its interval.

    Args:
        labels: class number of each item, of shape (N,), N >= 1.
        probabilities: of shape (N, C), rows summing to 1.
        groups: of shape (N,): whole groups are resampled; None: items.
        n_resamples: bootstrap resamples.
        seed: of the resamples.

    Returns:
        By key; auroc has value None if a class is absent or the only one, and average_precision is there for two
        classes only.
    """
    labels, probabilities = checked(labels, probabilities)
    numbers, n_groups = group_numbers(groups, len(labels))
    sums = _sums(labels, probabilities, numbers, n_groups)
    n_classes = probabilities.shape[1]
    values = _from_sums(np.asarray(sums.sum(axis=1)).reshape(1, -1), n_classes)
    parts = [
        _from_sums((sums @ counts.T).T.astype(np.float64), n_classes)
        for counts in resample_counts(n_groups, n_resamples, seed)
    ]
    result = {
        name: interval(float(value[0]), np.concatenate([part[name] for part in parts]), n_groups)
        for name, value in values.items()
    }
    how: dict[str, Any] = {"n_resamples": n_resamples, "seed": seed}
    area, resampled = auroc(labels, probabilities, numbers, n_groups, **how)
    result["auroc"] = interval(area, resampled, n_groups)
    if n_classes == 2:
        rarer = int(np.bincount(labels, minlength=2).argmin())
        has = labels == rarer
        sides = [(has, probabilities[:, rarer])] if has.any() else []
        precision, resampled = average_precision(sides, numbers, n_groups, **how)
        result["average_precision"] = interval(precision, resampled, n_groups)
    return {key: result[key] for key in in_order(result)}


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


def bins_of(confidence: Float) -> NDArray[np.intp]:
    """Return the number of the equal bin (left open, right closed) of each confidence."""
    return np.clip(np.ceil(confidence * N_BINS).astype(np.intp) - 1, 0, N_BINS - 1)


def _sums(labels: NDArray[np.integer], probabilities: Float, numbers: NDArray[np.intp], n_groups: int) -> Any:
    """Return what is summed over each group: label, prediction and hit per class, log loss, bins.

    A sparse matrix of shape (3 C + 1 + 15, G): an item adds to at most five cells, however many classes.
    """
    from scipy.sparse import csr_matrix

    n_items, n_classes = probabilities.shape
    predicted = probabilities.argmax(axis=1)
    correct = (predicted == labels).astype(np.float64)
    confidence = probabilities.max(axis=1)
    loss = -np.log(np.maximum(probabilities[np.arange(n_items), labels], FLOOR))
    one = np.ones(n_items)
    rows = [
        labels,
        n_classes + predicted,
        2 * n_classes + labels,
        np.full(n_items, 3 * n_classes),
        3 * n_classes + 1 + bins_of(confidence),
    ]
    values = np.concatenate([one, one, correct, loss, confidence - correct])
    cells = (np.concatenate(rows), np.tile(numbers, 5))
    return csr_matrix((values, cells), shape=(3 * n_classes + 1 + N_BINS, n_groups))


def _from_sums(sums: Float, n_classes: int) -> dict[str, Float]:
    """Return the metrics of each row of sums, of shape (B, 3C+1+15); nan where undefined."""
    actual, predicted, hit = (sums[:, i * n_classes : (i + 1) * n_classes] for i in range(3))
    n_items = actual.sum(axis=1)
    occurs, used = actual > 0.5, actual + predicted > 0.5
    recall = np.where(occurs, hit / np.maximum(actual, 1), 0.0)
    f1 = np.where(used, 2 * hit / np.maximum(actual + predicted, 1), 0.0)
    return {
        "accuracy": hit.sum(axis=1) / n_items,
        "balanced_accuracy": recall.sum(axis=1) / np.maximum(occurs.sum(axis=1), 1),
        "macro_f1": f1.sum(axis=1) / np.maximum(used.sum(axis=1), 1),
        "log_loss": sums[:, 3 * n_classes] / n_items,
        "ece": np.abs(sums[:, 3 * n_classes + 1 :]).sum(axis=1) / n_items,
    }
