"""Baselines without pretrained weights: the best constant answer, and classical features with a linear head.

The head is logistic for classes and labels, ridge for a quantity.

They are learned from the same items as the result they are compared with, and every choice in them is made by
cross-validation on those items: the form of the features and the penalty. The temperature is fitted on
out-of-fold logits.

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

import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.data.splits import fold_indices
from headstart.errors import DataError
from headstart.evidence.classical_features import ClassicalFeatures
from headstart.heads.calibrate import fit_temperature, log_loss_of
from headstart.heads.linear import LinearHead
from headstart.heads.logistic import fit_logistic, logistic_path
from headstart.heads.reduce import Reduced, reduce, standardiser
from headstart.heads.ridge import fit_ridge, leave_fold_out, penalty_path
from headstart.heads.threads import single_threaded
from headstart.tasks import CLASSIFICATION, Targets, Task

Array = NDArray[np.float32]
PENALTIES = np.logspace(0, -4, 5)
INVERSE_PENALTIES = (1.0, 5.0, 25.0, 125.0)  # scikit-learn's C, on rows of length 1
MAX_ITEMS = 10_000  # maximum number of items to learn from
N_FOLDS = 5


class ClassicalModel(Protocol):
    """A fitted classical baseline."""

    def probabilities(self, features: ClassicalFeatures, rows: NDArray[np.integer]) -> Array:
        """Return calibrated probabilities, or values, of some rows, of shape (n_rows, C)."""


def majority(encoded: NDArray[Any], n_outputs: int, n_items: int, task: Task = CLASSIFICATION) -> Array:
    """Return the shares of classes or labels, or the mean, for each held-out item, of shape (n_items, C).

    Args:
        encoded: targets of the training items.
        n_outputs: C.
        n_items: held-out items.
        task: what is learned.
    """
    return np.tile(task.constant(encoded, n_outputs).astype(np.float32), (n_items, 1))


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
        seed: of the folds, and of the sample of more than 10,000 items.

    Raises:
        DataError: texts without a single word.
    """
    targets = Targets(task, classes)
    encoded = targets.encode(labels)
    rows = np.asarray(rows)
    if len(rows) > MAX_ITEMS:
        kept = np.sort(np.random.default_rng(seed).permutation(len(rows))[:MAX_ITEMS])
        rows, encoded = rows[kept], encoded[kept]
        groups = None if groups is None else np.asarray(groups)[kept]
    folds = fold_indices(task.strata(encoded), groups, N_FOLDS, seed)
    with single_threaded():
        if features.modality == "text":
            return _fit_text([features.texts[row] for row in rows], encoded, folds, targets)
        if not task.has_classes:
            return _fit_dense_values(features, rows, encoded, folds, targets)
        return _fit_dense(features, rows, encoded, folds, targets)


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
    folds: NDArray[np.integer],
    targets: Targets,
) -> DenseModel:
    """Choose form and penalty by out-of-fold log loss and fit on all rows."""
    best: tuple[float, str, Reduced, float, float] | None = None
    for form, x_ND in features.forms.items():
        reduced = reduce(x_ND[rows], standardiser(x_ND[rows], name=f"the classical baseline ({form})"))
        path = logistic_path(reduced.z, encoded, targets.n_outputs, folds, PENALTIES)
        for penalty, logits in zip(PENALTIES, path):
            temperature = fit_temperature(logits, encoded)
            loss = log_loss_of(logits / temperature, encoded)
            if best is None or loss < best[0]:
                best = (loss, form, reduced, float(penalty), temperature)
    if best is None:
        raise DataError("The classical baseline has no features to learn from.")
    _, form, reduced, penalty, temperature = best
    weight, bias = fit_logistic(reduced.z, encoded, targets.n_outputs, penalty)
    return DenseModel(form, _head(reduced, weight, bias, temperature, targets))


def _fit_dense_values(
    features: ClassicalFeatures,
    rows: NDArray[np.integer],
    encoded: NDArray[Any],
    folds: NDArray[np.integer],
    targets: Targets,
) -> DenseModel:
    """Choose form and penalty by out-of-fold squared error and fit a quantity on all rows."""
    best: tuple[float, str, Reduced, float] | None = None
    middle = encoded.mean(axis=0, dtype=np.float64)
    y_N1 = encoded.astype(np.float64) - middle
    for form, x_ND in features.forms.items():
        reduced = reduce(x_ND[rows], standardiser(x_ND[rows], name=f"the classical baseline ({form})"))
        penalties = penalty_path(reduced.z)
        errors = np.square(leave_fold_out(reduced.z, y_N1, folds, penalties) - y_N1).mean(axis=(1, 2))
        least = int(errors.argmin())
        if best is None or errors[least] < best[0]:
            best = (float(errors[least]), form, reduced, float(penalties[least]))
    if best is None:
        raise DataError("The classical baseline has no features to learn from.")
    _, form, reduced, penalty = best
    weight, bias = fit_ridge(reduced.z, y_N1, penalty)
    return DenseModel(form, _head(reduced, weight, (bias + middle).astype(np.float32), 1.0, targets))


def _head(
    reduced: Reduced, weight: NDArray[Any], bias: NDArray[Any], temperature: float, targets: Targets
) -> LinearHead:
    return LinearHead.on_rotated(reduced, weight, bias, (0,), temperature, targets)


@dataclass(frozen=True, eq=False)
class TextModel:
    """A linear head on TF-IDF of words and pairs of words: logistic, or ridge for a quantity."""

    vectoriser: Any
    models: list[Any]
    columns: NDArray[np.intp]
    targets: Targets
    temperature: float
    base: NDArray[np.float64]  # scores of labels that all or none of the training items have, of shape (C,)

    def probabilities(self, features: ClassicalFeatures, rows: NDArray[np.integer]) -> Array:
        """Return calibrated probabilities, or values, of some rows, of shape (n_rows, C)."""
        task = self.targets.task
        x = self.vectoriser.transform([features.texts[row] for row in rows])
        if not task.has_classes:
            return np.asarray(self.models[0].predict(x), dtype=np.float32).reshape(-1, 1)
        logits = np.tile(self.base, (len(rows), 1))
        if self.models:
            logits[:, self.columns] = _logits(self.models, x, task)
        return task.activated(logits, self.temperature)


def _fit_text(
    texts: list[str], encoded: NDArray[Any], folds: NDArray[np.integer], targets: Targets
) -> TextModel:
    """Choose the penalty on one fold left out and fit on all texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectoriser = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b", max_features=100_000
    )
    try:
        x = vectoriser.fit_transform(texts)
    except ValueError:
        raise DataError("The texts hold no words, so the classical baseline cannot be learned.") from None
    inside, outside = np.flatnonzero(folds != 0), np.flatnonzero(folds == 0)
    if not targets.task.has_classes:
        return TextModel(
            vectoriser, [_ridge(x, encoded, inside, outside)], np.arange(1), targets, 1.0, np.zeros(1)
        )
    base = np.full(targets.n_outputs, -np.inf)
    if targets.task.many_per_item:
        share = np.clip(encoded.mean(axis=0, dtype=np.float64), 1e-3, 1 - 1e-3)
        base = np.log(share / (1 - share))
    else:
        outside = outside[np.isin(encoded[outside], encoded[inside])]
    best_loss, best_c, temperature = np.inf, INVERSE_PENALTIES[1], 1.0
    known, _ = _against(encoded[inside])
    if len(outside) and len(known):
        truth = encoded[outside][:, known] if encoded.ndim == 2 else np.searchsorted(known, encoded[outside])
        for c in INVERSE_PENALTIES:
            logits = _logits(_logistic(x[inside], encoded[inside], c), x[outside], targets.task)
            heat = fit_temperature(logits, truth)
            loss = log_loss_of(logits / heat, truth)
            if loss >= best_loss:
                break
            best_loss, best_c, temperature = loss, c, heat
    return TextModel(
        vectoriser, _logistic(x, encoded, best_c), _against(encoded)[0], targets, temperature, base
    )


def _ridge(x: Any, encoded: NDArray[Any], inside: NDArray[np.intp], outside: NDArray[np.intp]) -> Any:
    """Fit a quantity on sparse rows, the penalty by the squared error on the rows left out."""
    from sklearn.linear_model import Ridge

    y = encoded[:, 0].astype(np.float64)

    def fitted(rows: NDArray[np.intp], c: float) -> Any:
        return Ridge(alpha=5.0 / c, solver="sparse_cg", tol=1e-3).fit(x[rows], y[rows])

    def error(c: float) -> float:
        return float(np.square(fitted(inside, c).predict(x[outside]) - y[outside]).mean())

    return fitted(np.arange(len(y)), min(INVERSE_PENALTIES, key=error))


def _against(encoded: NDArray[Any]) -> tuple[NDArray[np.intp], list[NDArray[np.bool_]]]:
    """Return the columns that can be learned, and the positive items of each model: one model for two classes."""
    if encoded.ndim == 2:
        has = encoded > 0.5
        known = np.flatnonzero(has.any(axis=0) & ~has.all(axis=0))
        return known, [has[:, column] for column in known]
    known = np.unique(encoded)
    if len(known) < 2:
        return known[:0], []
    return known, [encoded == code for code in (known[1:] if len(known) == 2 else known)]


def _logistic(x: Any, encoded: NDArray[Any], inverse_penalty: float) -> list[Any]:
    """Fit one against rest on sparse rows by liblinear, the fastest for them; one model for two classes."""
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a baseline need not be exactly at its optimum
        return [
            LogisticRegression(C=inverse_penalty, solver="liblinear", tol=1e-2, random_state=0).fit(x, inside)
            for inside in _against(encoded)[1]
        ]


def _logits(models: list[Any], x: Any, task: Task) -> NDArray[np.float64]:
    """Return scores of shape (N, columns that can be learned), two for two classes."""
    scores = np.stack([model.decision_function(x) for model in models], axis=1)
    two_classes = task.one_per_item and scores.shape[1] == 1
    return np.concatenate([0 * scores, scores], axis=1) if two_classes else scores
