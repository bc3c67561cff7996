"""The classical baseline of texts: TF-IDF of words and pairs of words, with a logistic head, or ridge for a quantity.

Legend: N items, C classes.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError
from headstart.evidence.classical_features import ClassicalFeatures
from headstart.heads.calibrate import fit_temperature, log_loss_of
from headstart.tasks import OWN, Targets, TargetScale, Task

INVERSE_PENALTIES = (1.0, 5.0, 25.0, 125.0)  # scikit-learn's C, on rows of length 1


@dataclass(frozen=True, eq=False)
class TextModel:
    """A linear head on TF-IDF of words and pairs of words: logistic, or ridge for a quantity."""

    vectoriser: Any
    models: list[Any]
    columns: NDArray[np.intp]
    targets: Targets
    temperature: float
    base: NDArray[np.float64]  # scores of labels that all or none of the training items have, of shape (C,)
    unit: TargetScale = OWN

    def probabilities(self, features: ClassicalFeatures, rows: NDArray[np.integer]) -> NDArray[np.floating]:
        """Return calibrated probabilities, or values, of some rows, of shape (n_rows, C)."""
        task = self.targets.task
        x = self.vectoriser.transform([features.texts[row] for row in rows])
        if not task.has_classes:
            return self.unit.outward(self.models[0].predict(x).reshape(-1, 1))
        logits = np.tile(self.base, (len(rows), 1))
        if self.models:
            logits[:, self.columns] = _logits(self.models, x, task)
        return task.activated(logits, self.temperature)


def fit_text(
    texts: list[str],
    encoded: NDArray[Any],
    choosing: NDArray[np.integer],
    folds: NDArray[np.integer],
    targets: Targets,
) -> TextModel:
    """Choose the penalty on one fold left out, and fit on all texts.

    Args:
        texts: N of them.
        encoded: their targets, as `Targets.encode` gives them.
        choosing: positions of the texts that the penalty is chosen on.
        folds: fold of each of those; the first is left out.
        targets: the task with its C names.

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
    inside, outside = choosing[folds != 0], choosing[folds == 0]
    if not targets.task.has_classes:
        unit = targets.task.scale_of(encoded)
        ridge = _ridge(x, unit.standardised(encoded)[:, 0], inside, outside)
        return TextModel(vectoriser, [ridge], np.arange(1), targets, 1.0, np.zeros(1), unit)
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


def _ridge(x: Any, y: NDArray[np.float64], inside: NDArray[np.intp], outside: NDArray[np.intp]) -> Any:
    """Fit a quantity on sparse rows, the penalty by the squared error on the rows left out."""
    from sklearn.linear_model import Ridge

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
