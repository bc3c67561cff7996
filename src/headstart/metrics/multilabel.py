"""The metrics of labels (any number per item) on held-out items, each with a 95% interval.

mean_average_precision, auroc (means over the labels that some items have and others have not); macro_f1 (over
the labels that occur as label or prediction) and micro_f1, at a probability of 1/2; exact_match (every label
right); log_loss (mean over items and labels); ece (15 equal bins of the probability of every label). Intervals:
see `bootstrap`.

Legend: N items, C labels, B resamples, G groups.

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
from headstart.metrics.bootstrap import (
    N_RESAMPLES,
    Float,
    group_numbers,
    group_sums,
    interval,
    resample_counts,
)
from headstart.metrics.catalogue import in_order
from headstart.metrics.classification import FLOOR, N_BINS, bins_of
from headstart.metrics.counts import Bin
from headstart.metrics.interval import Interval


def label_metrics(
    labels: NDArray[Any],
    probabilities: NDArray[np.floating],
    groups: NDArray[np.object_] | None = None,
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return every metric with its interval.

    Args:
        labels: 0 and 1, of shape (N, C), N >= 1.
        probabilities: of shape (N, C).
        groups: of shape (N,): whole groups are resampled; None: items.
        n_resamples: bootstrap resamples.
        seed: of the resamples.
    """
    y, p = checked_labels(labels, probabilities)
    numbers, n_groups = group_numbers(groups, len(y))
    sums = group_sums(numbers, n_groups, _columns(y, p))
    n_labels = y.shape[1]
    values = _from_sums(sums.sum(axis=0)[None], n_labels)
    single = sums.astype(np.float32)
    draws = resample_counts(n_groups, n_resamples, seed)
    parts = [_from_sums((counts @ single).astype(np.float64), n_labels) for counts in draws]
    result = {
        name: interval(float(value[0]), np.concatenate([part[name] for part in parts]), n_groups)
        for name, value in values.items()
    }
    how: dict[str, Any] = {"n_resamples": n_resamples, "seed": seed}
    occurring = [(y[:, c], p[:, c]) for c in range(n_labels) if y[:, c].any()]
    two_sided = [(has, score) for has, score in occurring if not has.all()]
    precision, drawn = average_precision(occurring, numbers, n_groups, **how)
    result["mean_average_precision"] = interval(precision, drawn, n_groups)
    area, drawn = mean_area(two_sided, numbers, n_groups, **how) if two_sided else (float("nan"), drawn)
    result["auroc"] = interval(area, drawn, n_groups)
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


def _columns(y: NDArray[np.bool_], p: Float) -> Float:
    """Return what is summed over each group, of shape (N, 3 C + 3 + 15)."""
    named = p >= 0.5
    loss = -np.log(np.maximum(np.where(y, p, 1 - p), FLOOR)).mean(axis=1)
    exact = (named == y).all(axis=1)
    gaps = np.zeros((len(y), N_BINS))
    rows = np.repeat(np.arange(len(y)), y.shape[1])
    np.add.at(gaps, (rows, bins_of(p).ravel()), (p - y).ravel())
    ones = np.ones(len(y))
    return np.concatenate([y, named, y & named, np.stack([exact, loss, ones], axis=1), gaps], axis=1)


def _from_sums(sums: Float, n_labels: int) -> dict[str, Float]:
    """Return the metrics of each row of sums; nan where undefined."""
    actual, named, hit = (sums[:, i * n_labels : (i + 1) * n_labels] for i in range(3))
    exact, loss, n_items = sums[:, 3 * n_labels : 3 * n_labels + 3].T
    used = actual + named > 0.5
    f1 = np.where(used, 2 * hit / np.maximum(actual + named, 1), 0.0)
    both = (actual + named).sum(axis=1)
    return {
        "macro_f1": np.where(used.any(axis=1), f1.sum(axis=1) / np.maximum(used.sum(axis=1), 1), 0.0),
        "micro_f1": 2 * hit.sum(axis=1) / np.maximum(both, 1),
        "exact_match": exact / n_items,
        "log_loss": loss / n_items,
        "ece": np.abs(sums[:, 3 * n_labels + 3 :]).sum(axis=1) / (n_items * n_labels),
    }


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
            area, _ = average_precision(
                [(has, p[:, column])], np.arange(len(y)), len(y), n_resamples=1, seed=0
            )
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


def label_bins(labels: NDArray[Any], probabilities: NDArray[np.floating]) -> list[Bin]:
    """Return the 15 equal bins of the probability of every label, as the ece takes them.

    Args:
        labels: 0 and 1, of shape (N, C).
        probabilities: of shape (N, C).
    """
    y, p = checked_labels(labels, probabilities)
    number, stated, has = bins_of(p).ravel(), p.ravel(), y.ravel()
    bins = []
    for index in range(N_BINS):
        inside = number == index
        n_cells = int(inside.sum())
        mean, share = (float(stated[inside].mean()), float(has[inside].mean())) if n_cells else (0.0, 0.0)
        bins.append(Bin(index / N_BINS, (index + 1) / N_BINS, n_cells, mean, share))
    return bins
