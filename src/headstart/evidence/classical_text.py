"""The classical baseline of texts: TF-IDF of words and pairs of words, with a logistic head, or ridge for a quantity.

Legend: N items, C classes.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError
from headstart.evidence.classical_features import ClassicalFeatures
from headstart.evidence.out_of_fold import OutOfFold
from headstart.heads.calibrate import fit_temperature, log_loss_of
from headstart.tasks import OWN, Targets, TargetScale, Task

INVERSE_PENALTIES = (1.0, 5.0, 25.0, 125.0)  # scikit-learn's C, on rows of length 1


@dataclass(frozen=True, eq=False)
class Weights:
    """Linear models on TF-IDF rows: logistic ones, or one ridge for a quantity.

    Attributes:
        models: one per column that can be learned; one for two classes.
        columns: those columns.
        base: scores of all C columns before any is learned, of shape (C,).
        unit: in which a quantity is learned.
    """

    models: list[Any]
    columns: NDArray[np.intp]
    base: NDArray[np.float64]
    unit: TargetScale = OWN

    def scores(self, x: Any, task: Task) -> NDArray[np.float64]:
        """Return scores before the temperature, or values, of sparse rows, of shape (n_rows, C)."""
        if not task.has_classes:
            return self.unit.outward(self.models[0].predict(x).reshape(-1, 1))
        logits = np.tile(self.base, (x.shape[0], 1))
        if self.models:
            logits[:, self.columns] = _logits(self.models, x, task)
        return logits


@dataclass(frozen=True, eq=False)
class TextModel:
    """A linear head on TF-IDF of words and pairs of words.

    Attributes:
        vectoriser: a fitted TfidfVectorizer.
        weights: fitted on all training items.
        targets: the task with its C names.
        temperature: what scores are divided by.
        out_of_fold: with the same penalty, of the items that it was chosen on.
    """

    vectoriser: Any
    weights: Weights
    targets: Targets
    temperature: float
    out_of_fold: OutOfFold

    log_probabilities: ClassVar[bool] = False  # one class against the others, each for itself

    def scores(self, features: ClassicalFeatures, rows: NDArray[np.integer]) -> NDArray[np.floating]:
        """Return scores before the temperature, or values, of some rows, of shape (n_rows, C)."""
        x = self.vectoriser.transform([features.texts[row] for row in rows])
        return self.weights.scores(x, self.targets.task)

    def probabilities(self, features: ClassicalFeatures, rows: NDArray[np.integer]) -> NDArray[np.floating]:
        """Return calibrated probabilities, or values, of some rows, of shape (n_rows, C)."""
        return self.targets.task.activated(self.scores(features, rows), self.temperature)


def fit_text(
    texts: list[str],
    encoded: NDArray[Any],
    choosing: NDArray[np.integer],
    folds: NDArray[np.integer],
    targets: Targets,
    weights: NDArray[np.floating] | None = None,
) -> TextModel:
    """Choose the penalty on one fold left out, and fit on all texts.

    Words are counted once for all folds: how frequent they are is known of an item left out, its label is not.

    Args:
        texts: N of them.
        encoded: their targets, as `Targets.encode` gives them.
        choosing: positions of the texts that the penalty is chosen on, of shape (M,).
        folds: fold of each of those, of shape (M,); the first is left out.
        targets: the task with its C names.
        weights: of the texts, of shape (N,), of mean 1; None: all the same.

    Raises:
        DataError: there is not a single word.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectoriser = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b", max_features=100_000
    )
    try:
        x = vectoriser.fit_transform(texts)
    except ValueError:
        raise DataError("The texts hold no words, so the classical baseline cannot be learned.") from None
    task, first = targets.task, folds == folds.min()
    choose = _penalty if task.has_classes else _penalty_of_values
    # 0 is raised a little: all texts of a fold may have it
    w_N = np.ones(len(texts)) if weights is None else np.maximum(weights, 1e-6)
    c, temperature = choose(x, encoded, choosing[~first], choosing[first], targets, w_N)
    outputs = np.zeros((len(choosing), targets.n_outputs), dtype=task.dtype)
    for fold in np.unique(folds):
        inside, outside = choosing[folds != fold], folds == fold
        fitted = _fitted(x[inside], encoded[inside], c, targets, w_N[inside])
        scores = fitted.scores(x[choosing[outside]], task)
        outputs[outside] = task.activated(scores, temperature)
    left_out = OutOfFold(choosing, folds, outputs)
    return TextModel(vectoriser, _fitted(x, encoded, c, targets, w_N), targets, temperature, left_out)


def _fitted(
    x: Any, encoded: NDArray[Any], inverse_penalty: float, targets: Targets, w_N: NDArray[np.floating]
) -> Weights:
    """Fit on sparse rows at a penalty."""
    task = targets.task
    if not task.has_classes:
        unit = task.scale_of(encoded)
        ridge = _ridge(x, unit.standardised(encoded)[:, 0], inverse_penalty, w_N)
        return Weights([ridge], np.arange(1), np.zeros(1), unit)
    known, _ = _against(encoded)
    if task.many_per_item:
        share = np.clip(encoded.mean(axis=0, dtype=np.float64), 1e-3, 1 - 1e-3)
        return Weights(_logistic(x, encoded, inverse_penalty, w_N), known, np.log(share / (1 - share)))
    base = np.full(targets.n_outputs, -np.inf)
    if not len(known):
        base[encoded[:1]] = 0.0  # one class in these folds: it is the answer
    return Weights(_logistic(x, encoded, inverse_penalty, w_N), known, base)


def _penalty(
    x: Any,
    encoded: NDArray[Any],
    inside: NDArray[np.integer],
    outside: NDArray[np.integer],
    targets: Targets,
    w_N: NDArray[np.floating],
) -> tuple[float, float]:
    """The inverse penalty with the smallest log loss on the rows left out, and the temperature there."""
    if targets.task.one_per_item:
        outside = outside[np.isin(encoded[outside], encoded[inside])]
    best_loss, best_c, temperature = np.inf, INVERSE_PENALTIES[1], 1.0
    known, _ = _against(encoded[inside])
    if not len(outside) or not len(known):
        return best_c, temperature
    truth = encoded[outside][:, known] if encoded.ndim == 2 else np.searchsorted(known, encoded[outside])
    for c in INVERSE_PENALTIES:
        models = _logistic(x[inside], encoded[inside], c, w_N[inside])
        logits = _logits(models, x[outside], targets.task)
        heat = fit_temperature(logits, truth)
        loss = log_loss_of(logits / heat, truth, w_N[outside])
        if loss >= best_loss:
            break
        best_loss, best_c, temperature = loss, c, heat
    return best_c, temperature


def _penalty_of_values(
    x: Any,
    encoded: NDArray[Any],
    inside: NDArray[np.integer],
    outside: NDArray[np.integer],
    targets: Targets,
    w_N: NDArray[np.floating],
) -> tuple[float, float]:
    """The inverse penalty with the smallest squared error on the rows left out; values have no temperature."""
    y = targets.task.scale_of(encoded).standardised(encoded)[:, 0]

    def error(c: float) -> float:
        predicted = _ridge(x[inside], y[inside], c, w_N[inside]).predict(x[outside])
        return float(np.average(np.square(predicted - y[outside]), weights=w_N[outside]))

    return min(INVERSE_PENALTIES, key=error), 1.0


def _ridge(x: Any, y: NDArray[np.float64], inverse_penalty: float, w_N: NDArray[np.floating]) -> Any:
    """Fit a quantity on sparse rows."""
    from sklearn.linear_model import Ridge

    own = None if (w_N == 1).all() else w_N
    return Ridge(alpha=5.0 / inverse_penalty, solver="sparse_cg", tol=1e-3).fit(x, y, own)


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


def _logistic(x: Any, encoded: NDArray[Any], inverse_penalty: float, w_N: NDArray[np.floating]) -> list[Any]:
    """Fit one against rest on sparse rows by liblinear, the fastest for them; one model for two classes."""
    from sklearn.base import clone
    from sklearn.linear_model import LogisticRegression

    own = None if (w_N == 1).all() else w_N
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a baseline need not be exactly at its optimum
        model = LogisticRegression(C=inverse_penalty, solver="liblinear", tol=1e-2, random_state=0)
        return [clone(model).fit(x, inside, own) for inside in _against(encoded)[1]]


def _logits(models: list[Any], x: Any, task: Task) -> NDArray[np.float64]:
    """Return scores of shape (N, columns that can be learned), two for two classes."""
    scores = np.stack([model.decision_function(x) for model in models], axis=1)
    two_classes = task.one_per_item and scores.shape[1] == 1
    return np.concatenate([0 * scores, scores], axis=1) if two_classes else scores
