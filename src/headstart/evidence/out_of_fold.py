"""How good baselines are on the items that they learn from, by cross-validation, and which of them is the best there.

The baseline that a result is compared with must be chosen without the held-out items: whoever takes the best of several
on the items that are then compared takes one that is ahead by chance. The choice is made by the mean quality of items
(`Task.item_quality`) that were left out of the fit. The classical baseline chooses its form and its penalty on the same
folds, so its own score is a little high; that costs no honesty, since no held-out item is used for it.

Legend: N training items, M of them left out in turn, C classes.

Example:
    >>> best_on_folds({"majority": 0.5, "classical": 0.8})
    'classical'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.splits import fold_indices
from headstart.errors import DataError
from headstart.tasks import Task

N_FOLDS = 5


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What a baseline gives for training items that it was fitted without.

    Attributes:
        rows: of these items among the N, of shape (M,): all, or a sample of a large set.
        folds: fold of each of them, of shape (M,).
        outputs: probabilities, or values, of shape (M, C), each by a model that did not learn from the item.
    """

    rows: NDArray[np.integer]
    folds: NDArray[np.integer]
    outputs: NDArray[np.floating]

    def quality(
        self, encoded: NDArray[Any], task: Task, weights: NDArray[np.floating] | None = None
    ) -> NDArray[np.floating]:
        """Return the quality of each of the M items (`Task.item_quality`), of shape (M,).

        Args:
            encoded: targets of the N items.
            task: what is learned.
            weights: of the N items, of shape (N,); None: all the same.
        """
        own = None if weights is None else weights[self.rows]
        return task.item_quality(self.outputs, encoded[self.rows], own)

    def mean_quality(
        self, encoded: NDArray[Any], task: Task, weights: NDArray[np.floating] | None = None
    ) -> float:
        """Return the mean quality of the M items, by which baselines are chosen; arguments as of `quality`."""
        return float(self.quality(encoded, task, weights).mean())


def training_folds(
    encoded: NDArray[Any], groups: NDArray[np.object_] | None, task: Task, seed: int = 0
) -> NDArray[np.integer]:
    """Return the fold of each training item, of shape (N,): stratified, groups kept together.

    Args:
        encoded: targets of the items, as `Targets.encode` gives them.
        groups: of the items, of shape (N,); None: none.
        task: what is learned.
        seed: of the folds.
    """
    try:
        return fold_indices(task.strata(encoded), groups, N_FOLDS, seed)
    except DataError:  # one item per class, or one group: any division is as good
        return np.arange(len(encoded)) % 2


def majority_out_of_fold(
    encoded: NDArray[Any], n_outputs: int, folds: NDArray[np.integer], task: Task
) -> NDArray[np.floating]:
    """Return the best constant answer of the other folds for each item, of shape (N, C).

    Args:
        encoded: targets of the N items.
        n_outputs: C.
        folds: fold of each item.
        task: what is learned.
    """
    outputs = np.zeros((len(encoded), n_outputs), dtype=task.dtype)
    for fold in np.unique(folds):
        outputs[folds == fold] = task.constant(encoded[folds != fold], n_outputs)
    return outputs


def majority_on_folds(
    encoded: NDArray[Any], groups: NDArray[np.object_] | None, n_outputs: int, task: Task, seed: int = 0
) -> OutOfFold:
    """Return what the best constant answer gives for items that it did not learn from.

    Args:
        encoded: targets of the N items.
        groups: of the items, of shape (N,); None: none.
        n_outputs: C.
        task: what is learned.
        seed: of the folds.
    """
    folds = training_folds(encoded, groups, task, seed)
    return OutOfFold(np.arange(len(encoded)), folds, majority_out_of_fold(encoded, n_outputs, folds, task))


def best_on_folds(quality: Mapping[str, float]) -> str:
    """Return the name of the baseline with the highest quality on training folds; of equal ones the first.

    Args:
        quality: mean quality of items left out, by name of the baseline; the simplest baseline first.
    """
    return max(quality, key=lambda name: quality[name])
