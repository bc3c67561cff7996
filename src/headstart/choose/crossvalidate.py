"""Cross-validation of the whole procedure: every choice is made again inside each fold."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headstart.choose.features import StageFeatures, rows_of, stacked
from headstart.choose.head import Choice, choose_head
from headstart.data.examples import natural_order
from headstart.data.splits import fold_indices


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """What the folds gave.

    Attributes:
        probabilities: of each item by the head chosen and fitted without its fold, of shape (N, C).
        classes: names of the columns.
        folds: fold of each item, of shape (N,).
        choices: what was chosen in each fold.
    """

    probabilities: NDArray[np.float32] = field(repr=False)
    classes: tuple[str, ...]
    folds: NDArray[np.integer] = field(repr=False)
    choices: list[Choice] = field(repr=False)


def cross_validate(
    features: StageFeatures,
    labels: NDArray[np.object_],
    groups: NDArray[np.object_] | None,
    k: int,
    *,
    seed: int = 0,
    n_folds: int = 5,
    classes: tuple[str, ...] | None = None,
    n_threads: int | None = None,
) -> CrossValidation:
    """Evaluate `choose_head` by K-fold cross-validation.

    Args:
        features: of N items, at every stage.
        labels: of shape (N,).
        groups: of shape (N,), kept together; None: none.
        k: outer folds at most.
        seed: of the outer and inner folds.
        n_folds: inner folds at most.
        classes: order of the classes; None: natural order.
        n_threads: stages worked on at once.
    """
    names = classes or natural_order(str(label) for label in labels)
    labels = np.asarray(labels)
    folds = fold_indices(labels, groups, k, seed)
    probabilities = np.zeros((len(labels), len(names)), dtype=np.float32)
    choices = []
    for fold in np.unique(folds):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        choice = choose_head(
            rows_of(features, inside),
            labels[inside],
            None if groups is None else groups[inside],
            n_folds=n_folds,
            seed=seed,
            classes=names,
            n_threads=n_threads,
        )
        held_out = rows_of(features, outside)
        probabilities[outside] = choice.head.probabilities(stacked(held_out, choice.head.stages))
        choices.append(choice)
    return CrossValidation(probabilities, names, folds, choices)
