"""Baselines without pretrained weights: the majority class, and classical features with a logistic head.

They are learned from the same items as the result they stand beside, and every choice in them is made by
cross-validation on those items: the form of the features and the penalty. The temperature is fitted on
out-of-fold logits.

Legend: N items, C classes, D features.

Example:
    >>> from headstart.evidence import classical_features, fit_classical
    >>> texts = ["a fine film", "fine and warm", "a dull film", "dull and cold"] * 4
    >>> labels = np.array(["good", "good", "bad", "bad"] * 4)
    >>> features = classical_features(texts, "text")
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
from headstart.heads.linear import LinearHead, softmax
from headstart.heads.logistic import fit_logistic, logistic_path
from headstart.heads.reduce import Reduced, reduce, standardiser
from headstart.heads.threads import single_threaded

Array = NDArray[np.float32]
PENALTIES = np.logspace(0, -4, 5)
INVERSE_PENALTIES = (1.0, 5.0, 25.0, 125.0)  # scikit-learn's C, on rows of length 1
MAX_ITEMS = 10_000  # learned from at most
N_FOLDS = 5


class ClassicalModel(Protocol):
    """A fitted classical baseline."""

    def probabilities(self, features: ClassicalFeatures, rows: NDArray[np.integer]) -> Array:
        """Return calibrated probabilities of some rows, of shape (n_rows, C)."""


def majority(codes: NDArray[np.integer], n_classes: int, n_items: int) -> Array:
    """Return the class shares of the training items for each held-out item, of shape (n_items, C).

    Args:
        codes: class numbers of the training items.
        n_classes: C.
        n_items: held-out items.
    """
    shares = np.bincount(codes, minlength=n_classes) / len(codes)
    return np.tile(shares.astype(np.float32), (n_items, 1))


def fit_classical(
    features: ClassicalFeatures,
    rows: NDArray[np.integer],
    labels: NDArray[np.object_],
    groups: NDArray[np.object_] | None,
    *,
    classes: tuple[str, ...],
    seed: int = 0,
) -> ClassicalModel:
    """Learn a classical baseline from some rows of the features.

    Args:
        features: of all items.
        rows: of the training items, of shape (N,).
        labels: of the training items, of shape (N,).
        groups: of the training items, of shape (N,), kept together in folds; None: none.
        classes: C names, the order of the columns.
        seed: of the folds, and of the sample where there are more than 10,000 items.

    Raises:
        DataError: texts without a single word.
    """
    number = {name: i for i, name in enumerate(classes)}
    codes = np.array([number[str(label)] for label in labels], dtype=np.intp)
    rows = np.asarray(rows)
    if len(rows) > MAX_ITEMS:
        kept = np.sort(np.random.default_rng(seed).permutation(len(rows))[:MAX_ITEMS])
        rows, codes = rows[kept], codes[kept]
        groups = None if groups is None else np.asarray(groups)[kept]
    folds = fold_indices(codes, groups, N_FOLDS, seed)
    with single_threaded():
        if features.modality == "text":
            return _fit_text([features.texts[row] for row in rows], codes, folds, classes)
        return _fit_dense(features, rows, codes, folds, classes)


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
    codes: NDArray[np.intp],
    folds: NDArray[np.integer],
    classes: tuple[str, ...],
) -> DenseModel:
    """Choose form and penalty by out-of-fold log loss and fit on all rows."""
    best: tuple[float, str, Reduced, float, float] | None = None
    for form, x_ND in features.forms.items():
        reduced = reduce(x_ND[rows], standardiser(x_ND[rows], name=f"the classical baseline ({form})"))
        path = logistic_path(reduced.z, codes, len(classes), folds, PENALTIES)
        for penalty, logits in zip(PENALTIES, path):
            temperature = fit_temperature(logits, codes)
            loss = log_loss_of(logits / temperature, codes)
            if best is None or loss < best[0]:
                best = (loss, form, reduced, float(penalty), temperature)
    if best is None:
        raise DataError("The classical baseline has no features to learn from.")
    _, form, reduced, penalty, temperature = best
    weight, bias = fit_logistic(reduced.z, codes, len(classes), penalty)
    how = reduced.standardiser
    head = LinearHead((0,), how.mean, how.scale, reduced.weights(weight), bias, temperature, classes)
    return DenseModel(form, head)


@dataclass(frozen=True, eq=False)
class TextModel:
    """A logistic head on TF-IDF of words and pairs of words."""

    vectoriser: Any
    models: list[Any]
    columns: NDArray[np.intp]
    n_classes: int
    temperature: float

    def probabilities(self, features: ClassicalFeatures, rows: NDArray[np.integer]) -> Array:
        """Return calibrated probabilities of some rows, of shape (n_rows, C)."""
        x = self.vectoriser.transform([features.texts[row] for row in rows])
        logits = np.full((len(rows), self.n_classes), -np.inf)
        logits[:, self.columns] = _logits(self.models, x)
        return softmax(logits / self.temperature)


def _fit_text(
    texts: list[str], codes: NDArray[np.intp], folds: NDArray[np.integer], classes: tuple[str, ...]
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
    outside = outside[np.isin(codes[outside], codes[inside])]
    best_loss, best_c, temperature = np.inf, INVERSE_PENALTIES[1], 1.0
    if len(outside) and len(np.unique(codes[inside])) > 1:
        known = np.unique(codes[inside])
        for c in INVERSE_PENALTIES:
            logits = _logits(_logistic(x[inside], codes[inside], c), x[outside])
            targets = np.searchsorted(known, codes[outside])
            heat = fit_temperature(logits, targets)
            loss = log_loss_of(logits / heat, targets)
            if loss >= best_loss:
                break
            best_loss, best_c, temperature = loss, c, heat
    return TextModel(vectoriser, _logistic(x, codes, best_c), np.unique(codes), len(classes), temperature)


def _logistic(x: Any, codes: NDArray[np.intp], inverse_penalty: float) -> list[Any]:
    """Fit one against rest on sparse rows by liblinear, the quickest there; one model for two classes."""
    from sklearn.linear_model import LogisticRegression

    known = np.unique(codes)
    against = known[1:] if len(known) == 2 else known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a baseline near its optimum is good enough
        return [
            LogisticRegression(C=inverse_penalty, solver="liblinear", tol=1e-2, random_state=0).fit(
                x, codes == code
            )
            for code in against
        ]


def _logits(models: list[Any], x: Any) -> NDArray[np.float64]:
    """Return scores of shape (N, classes seen), two columns for two classes."""
    scores = np.stack([model.decision_function(x) for model in models], axis=1)
    return np.concatenate([0 * scores, scores], axis=1) if scores.shape[1] == 1 else scores
