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

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.data.splits import fold_indices
from headstart.errors import DataError
from headstart.evidence.classical_features import ClassicalFeatures
from headstart.evidence.classical_text import fit_text
from headstart.heads.calibrate import fit_temperature, log_loss_of
from headstart.heads.linear import LinearHead
from headstart.heads.logistic import fit_logistic, logistic_path
from headstart.heads.reduce import Reduced, reduce, standardiser
from headstart.heads.ridge import fit_ridge, leave_fold_out, penalty_path
from headstart.heads.threads import single_threaded
from headstart.tasks import CLASSIFICATION, Targets, Task

Array = NDArray[np.float32]
PENALTIES = np.logspace(0, -4, 5)
MAX_CHOOSING = 10_000  # maximum number of items that form and penalty are chosen on
MAX_ITEMS = 50_000  # maximum number of items to learn from: a minute on one core
N_FOLDS = 5


class ClassicalModel(Protocol):
    """A fitted classical baseline."""

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

    Raises:
        DataError: texts without a single word.
    """
    targets = Targets(task, classes)
    encoded = targets.encode(labels)
    rows = np.asarray(rows)
    choosing = _sample(np.arange(len(rows)), MAX_CHOOSING, seed)
    units = None if groups is None else np.asarray(groups)[choosing]
    try:
        folds = fold_indices(task.strata(encoded[choosing]), units, N_FOLDS, seed)
    except DataError:  # one item per class, or one group: any division is as good
        folds = np.arange(len(choosing)) % 2
    with single_threaded():
        if features.modality == "text":
            return fit_text([features.texts[row] for row in rows], encoded, choosing, folds, targets)
        if not task.has_classes:
            return _fit_dense_values(features, rows, encoded, choosing, folds, targets)
        return _fit_dense(features, rows, encoded, choosing, folds, targets)


@dataclass(frozen=True, eq=False)
class DenseModel:
    """A linear head on one form of the features."""

    form: str
    head: LinearHead

    def probabilities(self, features: ClassicalFeatures, rows: NDArray[np.integer]) -> Array:
        """Return calibrated probabilities of some rows, of shape (n_rows, C)."""
        return self.head.probabilities(features.forms[self.form][rows])


def _fit_dense(
    features: ClassicalFeatures,
    rows: NDArray[np.integer],
    encoded: NDArray[Any],
    choosing: NDArray[np.integer],
    folds: NDArray[np.integer],
    targets: Targets,
) -> DenseModel:
    """Choose form and penalty by out-of-fold log loss and fit on all rows."""
    best: tuple[float, str, Reduced, float, float] | None = None
    truth = encoded[choosing]
    for form in features.forms:
        reduced = _reduced(features, form, rows[choosing])
        path = logistic_path(reduced.z, truth, targets.n_outputs, folds, PENALTIES)
        for penalty, logits in zip(PENALTIES, path):
            temperature = fit_temperature(logits, truth)
            loss = log_loss_of(logits / temperature, truth)
            if best is None or loss < best[0]:
                best = (loss, form, reduced, float(penalty), temperature)
    if best is None:
        raise DataError("The classical baseline has no features to learn from.")
    _, form, reduced, penalty, temperature = best
    if len(choosing) < len(rows):  # the penalty on the sum over items stays what it was on the sample
        reduced, penalty = _reduced(features, form, rows), penalty * len(choosing) / len(rows)
    weight, bias = fit_logistic(reduced.z, encoded, targets.n_outputs, penalty)
    return DenseModel(form, _head(reduced, weight, bias, temperature, targets))


def _fit_dense_values(
    features: ClassicalFeatures,
    rows: NDArray[np.integer],
    encoded: NDArray[Any],
    choosing: NDArray[np.integer],
    folds: NDArray[np.integer],
    targets: Targets,
) -> DenseModel:
    """Choose form and penalty by out-of-fold squared error and fit a quantity on all rows."""
    best: tuple[float, str, Reduced, float] | None = None
    unit = targets.task.scale_of(encoded)
    y_N1 = unit.standardised(encoded)
    truth = y_N1[choosing]
    for form in features.forms:
        reduced = _reduced(features, form, rows[choosing])
        penalties = penalty_path(reduced.z)
        errors = np.square(leave_fold_out(reduced.z, truth, folds, penalties) - truth).mean(axis=(1, 2))
        least = int(errors.argmin())
        if best is None or errors[least] < best[0]:
            best = (float(errors[least]), form, reduced, float(penalties[least]))
    if best is None:
        raise DataError("The classical baseline has no features to learn from.")
    _, form, reduced, penalty = best
    if len(choosing) < len(rows):
        reduced = _reduced(features, form, rows)
    weight, bias = fit_ridge(reduced.z, y_N1, penalty)
    return DenseModel(form, LinearHead.on_rotated(reduced, weight, bias, (0,), 1.0, targets, unit))


def _reduced(features: ClassicalFeatures, form: str, rows: NDArray[np.integer]) -> Reduced:
    x_ND = features.forms[form][rows]
    return reduce(x_ND, standardiser(x_ND, name=f"the classical baseline ({form})"))


def _head(
    reduced: Reduced, weight: NDArray[Any], bias: NDArray[Any], temperature: float, targets: Targets
) -> LinearHead:
    return LinearHead.on_rotated(reduced, weight, bias, (0,), temperature, targets)
