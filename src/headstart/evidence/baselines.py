"""Baselines without pretrained weights: the best constant answer, and classical features with a linear head.

The head is logistic for classes and labels, ridge for a quantity.

They are learned from the same items as the result they are compared with, and every choice in them is made by
cross-validation on those items: the form of the features and the penalty. The temperature is fitted on
out-of-fold logits. Of more than 10,000 items a sample is used for the choice, and of more than 50,000 for the
fit (`items_to_learn_from`): whoever uses that must report it.

Legend: N items, C classes, D features.

Example:
    >>> from headstart.evidence import extract_classical, fit_classical
    >>> texts = ["a fine film", "fine and warm", "a dull film", "dull and cold"] * 4
    >>> labels = np.array(["good", "good", "bad", "bad"] * 4)
    >>> features = extract_classical(texts, "text")
    >>> model = fit_classical(features, np.arange(16), labels, None, classes=("bad", "good"))
    >>> model.probabilities(features, np.arange(2)).argmax(axis=1)
    array([1, 1])
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.evidence.classical_dense import fit_dense
from headstart.evidence.classical_features import ClassicalFeatures
from headstart.evidence.classical_text import fit_text
from headstart.evidence.out_of_fold import OutOfFold, training_folds
from headstart.heads.threads import single_threaded
from headstart.tasks import CLASSIFICATION, Targets, Task

MAX_CHOOSING = 10_000  # maximum number of items that form and penalty are chosen on
MAX_ITEMS = 50_000  # maximum number of items to learn from: a minute on one core


class ClassicalModel(Protocol):
    """A fitted classical baseline."""

    @property
    def out_of_fold(self) -> OutOfFold:
        """What it gives for training items that it was fitted without, with the form and the penalty chosen there."""

    @property
    def temperature(self) -> float:
        """What scores are divided by."""

    @property
    def log_probabilities(self) -> bool:
        """Whether scores are log probabilities before the temperature too."""

    def scores(self, features: ClassicalFeatures, rows: NDArray[np.integer]) -> NDArray[np.floating]:
        """Return scores before the temperature, or values, of some rows, of shape (n_rows, C)."""

    def probabilities(self, features: ClassicalFeatures, rows: NDArray[np.integer]) -> NDArray[np.floating]:
        """Return calibrated probabilities, or values, of some rows, of shape (n_rows, C)."""


def majority(
    encoded: NDArray[Any], n_outputs: int, n_items: int, task: Task = CLASSIFICATION
) -> NDArray[np.floating]:
    """Return the shares of classes or labels, or the mean, for each held-out item, of shape (n_items, C).

    Args:
        encoded: targets of the training items.
        n_outputs: C.
        n_items: held-out items.
        task: what is learned.
    """
    return np.tile(task.constant(encoded, n_outputs).astype(task.dtype), (n_items, 1))


def items_to_learn_from(positions: NDArray[np.integer], seed: int = 0) -> NDArray[np.integer]:
    """Return the positions of the items that a classical baseline learns from: all, or a sample of 50,000.

    Args:
        positions: of the items that the result was learned from.
        seed: of the sample.
    """
    return _sample(positions, MAX_ITEMS, seed)


def _sample(positions: NDArray[np.integer], n_most: int, seed: int) -> NDArray[np.integer]:
    if len(positions) <= n_most:
        return positions
    kept = np.random.default_rng(seed).permutation(len(positions))[:n_most]
    return np.asarray(positions[np.sort(kept)])


def fit_classical(
    features: ClassicalFeatures,
    rows: NDArray[np.integer],
    labels: NDArray[np.object_],
    groups: NDArray[np.object_] | None,
    *,
    classes: tuple[str, ...],
    task: Task = CLASSIFICATION,
    seed: int = 0,
    folds: NDArray[np.integer] | None = None,
    weights: NDArray[np.floating] | None = None,
) -> ClassicalModel:
    """Learn a classical baseline from some rows of the features.

    Args:
        features: of all items.
        rows: of the training items, of shape (N,).
        labels: of the training items, as text, of shape (N,).
        groups: of the training items, of shape (N,), kept together in folds; None: none.
        classes: C names, the order of the columns.
        task: what the labels are.
        seed: of the folds, and of the sample that choices are made on.
        folds: fold of each training item, of shape (N,), such as those of a head that it is compared with; all items
            then take part in the choices. None: they are made here, and of a large set a sample takes part.
        weights: of the training items in fits and choices, of shape (N,), of mean 1; None: all the same.

    Raises:
        DataError: texts without a single word.
    """
    targets = Targets(task, classes)
    encoded = targets.encode(labels)
    rows = np.asarray(rows)
    choosing: NDArray[np.integer] = np.arange(len(rows))
    if folds is None:
        choosing = _sample(choosing, MAX_CHOOSING, seed)
        units = None if groups is None else np.asarray(groups)[choosing]
        folds = training_folds(encoded[choosing], units, task, seed)
    with single_threaded():
        if features.modality == "text":
            texts = [features.texts[row] for row in rows]
            return fit_text(texts, encoded, choosing, folds, targets, weights)
        return fit_dense(features, rows, encoded, choosing, folds, targets, weights)
