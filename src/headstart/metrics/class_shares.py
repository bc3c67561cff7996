"""Balanced accuracy and macro F1: means over classes, whose intervals have to know how few items a class may have.

    balanced accuracy   mean over the classes that occur of h_c / a_c
    macro F1            mean over the classes that occur as label or prediction of 2 h_c / (a_c + p_c)

with a_c items of class c, p_c predictions of it and h_c hits. The variance of balanced accuracy is the sum over the
classes of the variance within a class; F1 depends on the shares of the classes too, so that of macro F1 is the sum of
all squared influences (delta method; Takahashi et al. 2022). If the three items of a class are all
right, that variance is 0, which nobody believes: for the variance, one right and one wrong item are added to every
class (Agresti and Coull 1998 add two of each to a proportion). It gives the effective number of items of Wilson's
interval (see `bounds`). Items of one unit enlarge it by their design effect. Degrees of freedom after Satterthwaite:
a class with few items decides them.

Legend: N items, C classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.bounds import bounded, share
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Float, Units

LEAST_FREEDOM = 4.0  # of two classes, five items in the smaller one
LEAST_PER_CLASS = 10  # items per class, on average, below which the macro F1 of several classes is biased


def balanced_accuracy(labels: NDArray[np.integer], predicted: NDArray[np.integer], units: Units) -> Interval:
    """Return the mean recall of the classes that occur, with its interval.

    Args:
        labels: class numbers, of shape (N,).
        predicted: of shape (N,).
        units: of the items.
    """
    names, labels = np.unique(labels, return_inverse=True)
    hit = predicted == names[labels]
    n_C = np.bincount(labels).astype(np.float64)
    recall_C = np.bincount(labels, weights=hit) / n_C
    smooth_C = (recall_C * n_C + 1) / (n_C + 2)
    variance_C = smooth_C * (1 - smooth_C) / n_C / len(n_C) ** 2
    influence = (hit - recall_C[labels]) / (n_C[labels] * len(n_C))
    return mean_over_classes(
        float(recall_C.mean()), float(smooth_C.mean()), variance_C, influence, labels, units
    )


def macro_f1(labels: NDArray[np.integer], predicted: NDArray[np.integer], units: Units) -> Interval:
    """Return the mean F1 of the classes that occur as label or prediction, with its interval.

    Args:
        labels: class numbers, of shape (N,).
        predicted: of shape (N,).
        units: of the items.
    """
    names, both = np.unique(np.concatenate([labels, predicted]), return_inverse=True)
    labels, predicted = both[: len(labels)], both[len(labels) :]
    n_used = len(names)
    actual = np.bincount(labels, minlength=n_used).astype(np.float64)
    named = np.bincount(predicted, minlength=n_used).astype(np.float64)
    hits = np.bincount(labels[labels == predicted], minlength=n_used).astype(np.float64)
    occurs = (actual > 0).astype(np.float64)
    others = max(n_used - 1, 1)
    added = occurs + (occurs.sum() - occurs) / others  # predictions of the added items
    smooth = _Slopes(actual + 2 * occurs, named + added, hits + occurs)
    # Sums of squared influences over the items of a class and the two added to it.
    right = np.square(2 * smooth.slope + smooth.hit)
    pairs = np.square(smooth.slope[:, None] + smooth.slope)  # of an item of one class that is given another
    wrong = (pairs.sum(axis=1) - np.diagonal(pairs)) / others
    own = np.bincount(labels, weights=smooth.of(labels, predicted) ** 2, minlength=n_used)
    grown = (actual + 2 * occurs) / np.maximum(
        actual, 1
    )  # as if the added items had not made the class larger
    variance_C = occurs * (own + right + wrong) * grown
    value = float((2 * hits / (actual + named)).mean())
    if n_used > 2 and len(labels) < LEAST_PER_CLASS * n_used:
        why = f"fewer than {LEAST_PER_CLASS} items per class, too few for an interval"
        return Interval(value, why=units.too_few or why)
    influence = _Slopes(actual, named, hits).of(labels, predicted)
    return mean_over_classes(value, smooth.f1, variance_C, influence, labels, units)


class _Slopes:
    """How macro F1 changes with an item, to first order: with its class, its prediction, and whether it is a hit."""

    def __init__(self, actual_C: Float, named_C: Float, hits_C: Float) -> None:
        both = actual_C + named_C
        self.f1 = float((2 * hits_C / both).mean())
        self.slope = (
            -2 * hits_C / both**2 / len(both)
        )  # in the items of a class, and in the predictions of it
        self.hit = 2 / both / len(both)

    def of(self, labels: NDArray[np.integer], predicted: NDArray[np.integer]) -> Float:
        """Return the influence of each item, of shape (N,)."""
        hit = np.where(labels == predicted, self.hit[labels], 0.0)
        return np.asarray(self.slope[labels] + self.slope[predicted] + hit)


def mean_over_classes(
    value: float,
    smooth: float,
    variance_C: Float,
    influence_N: Float,
    labels: NDArray[np.integer],
    units: Units,
) -> Interval:
    """Return the interval of a mean over classes.

    Args:
        value: the mean.
        smooth: the same with the added items.
        variance_C: of each class's part in the mean, for independent items, of shape (C,).
        influence_N: of each item on the mean.
        labels: class of each item, of shape (N,).
        units: of the items.
    """
    n_items = np.bincount(labels, minlength=len(variance_C)).astype(np.float64)
    occurring = n_items[n_items > 0]
    if pooled_freedom(1 / occurring, occurring) < LEAST_FREEDOM:
        return Interval(value, why=units.too_few or "too few items in a class for an interval")

    def make(units: Units) -> Interval:
        n_units = n_items
        if not units.are_items:
            pairs = np.unique(labels.astype(np.int64) * units.n_units + units.numbers) // units.n_units
            n_units = np.bincount(pairs, minlength=len(variance_C)).astype(np.float64)
        if not units.are_items and n_units[n_items > 0].mean() < 2:
            return Interval(value, why="most classes have one unit each, too few for an interval")
        freedom = min(units.freedom, pooled_freedom(variance_C, n_units))
        n_effective = smooth * (1 - smooth) / (variance_C.sum() * units.design_effect(influence_N))
        return share(value, n_effective, freedom)

    return bounded(value, units, make)


def pooled_freedom(variances: Float, counts: Float) -> float:
    """Return Satterthwaite's degrees of freedom (1946) of a sum of variances.

    Args:
        variances: any number of them.
        counts: the observations behind each.
    """
    parts = np.square(variances) / np.maximum(counts - 1, 0.5)
    total = float(parts.sum())
    return float(variances.sum() ** 2 / total) if total > 0 else float(counts.sum() - 1)
