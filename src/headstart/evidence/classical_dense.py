"""The classical baseline of pictures and recordings: histograms or log-mel statistics with a linear head.

The head is logistic for classes and labels, ridge for a quantity.

Legend: N items, C classes, D features.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError
from headstart.evidence.classical_features import ClassicalFeatures
from headstart.evidence.out_of_fold import OutOfFold
from headstart.heads.calibrate import fit_temperature, log_loss_of
from headstart.heads.linear import LinearHead
from headstart.heads.logistic import FIT_STEPS, FIT_TOLERANCE, fit_logistic, logistic_path
from headstart.heads.reduce import Reduced, reduce, standardiser
from headstart.heads.ridge import fit_ridge, leave_fold_out, penalty_path
from headstart.tasks import Targets

Array = NDArray[np.float32]
Float = NDArray[np.floating]
PENALTIES = np.logspace(0, -4, 5)


@dataclass(frozen=True, eq=False)
class DenseModel:
    """A linear head on one form of the features.

    Attributes:
        form: of the features.
        head: fitted on all training items.
        out_of_fold: by the same form and penalty, of the items that these were chosen on.
    """

    form: str
    head: LinearHead
    out_of_fold: OutOfFold

    log_probabilities: ClassVar[bool] = True

    @property
    def temperature(self) -> float:
        """What scores are divided by."""
        return self.head.temperature

    def scores(self, features: ClassicalFeatures, rows: NDArray[np.integer]) -> NDArray[np.floating]:
        """Return scores before the temperature, or values, of some rows, of shape (n_rows, C)."""
        return self.head.logits(features.forms[self.form][rows])

    def probabilities(self, features: ClassicalFeatures, rows: NDArray[np.integer]) -> Array:
        """Return calibrated probabilities, or values, of some rows, of shape (n_rows, C)."""
        return self.head.probabilities(features.forms[self.form][rows])


@dataclass(frozen=True, eq=False)
class _Best:
    """The best form and penalty so far.

    Attributes:
        loss: out of fold, which is to be small.
        form: of the features.
        reduced: rotated features of the items that the choice is made on.
        penalty: of the head.
        temperature: what scores are divided by; 1 for a quantity.
        scores: out of fold, of shape (M, C), before the temperature.
    """

    loss: float
    form: str
    reduced: Reduced
    penalty: float
    temperature: float
    scores: NDArray[np.floating]


def fit_dense(
    features: ClassicalFeatures,
    rows: NDArray[np.integer],
    encoded: NDArray[Any],
    choosing: NDArray[np.integer],
    folds: NDArray[np.integer],
    targets: Targets,
    weights: Float | None = None,
) -> DenseModel:
    """Choose form and penalty by the loss of items left out, and fit on all rows.

    Args:
        features: of all items, in one or more forms.
        rows: of the N training items.
        encoded: targets of the training items.
        choosing: which of the training items form and penalty are chosen on, of shape (M,).
        folds: fold of each of those, of shape (M,).
        targets: the task with its C names.
        weights: of the training items, of shape (N,), of mean 1; None: all the same.

    Raises:
        DataError: there are no features, or one is not finite.
    """
    own = None if weights is None else weights[choosing]
    is_value = not targets.task.has_classes
    unit = targets.task.scale_of(encoded)
    truth = unit.standardised(encoded) if is_value else encoded
    best: _Best | None = None
    for form in features.forms:
        reduced = _reduced(features, form, rows[choosing])
        found = (
            _values(form, reduced, truth[choosing], folds, own)
            if is_value
            else _classes(form, reduced, truth[choosing], folds, targets, own)
        )
        if best is None or found.loss < best.loss:
            best = found
    if best is None:
        raise DataError("The classical baseline has no features to learn from.")
    if not is_value:
        best = _converged(best, truth[choosing], folds, targets, own)
    scores = unit.outward(best.scores) if is_value else best.scores
    left_out = OutOfFold(choosing, folds, targets.task.activated(scores, best.temperature))
    reduced, penalty = best.reduced, best.penalty
    if len(choosing) < len(rows):
        reduced = _reduced(features, best.form, rows)
        if not is_value:  # the penalty on the sum over items stays what it was on the sample
            penalty *= len(choosing) / len(rows)
    weight, bias = (
        fit_ridge(reduced.z, truth, penalty, weights)
        if is_value
        else fit_logistic(reduced.z, truth, targets.n_outputs, penalty, weights_N=weights)
    )
    head = LinearHead.on_rotated(reduced, weight, bias, (0,), best.temperature, targets, unit)
    return DenseModel(best.form, head, left_out)


def _classes(
    form: str,
    reduced: Reduced,
    truth: NDArray[Any],
    folds: NDArray[np.integer],
    targets: Targets,
    weights: Float | None,
) -> _Best:
    """The best penalty of a form by log loss, after temperature scaling."""
    path = logistic_path(reduced.z, truth, targets.n_outputs, folds, PENALTIES, weights_N=weights)
    found: list[_Best] = []
    for penalty, logits in zip(PENALTIES, path):
        temperature = fit_temperature(logits, truth)
        loss = log_loss_of(logits / temperature, truth, weights)
        found.append(_Best(loss, form, reduced, float(penalty), temperature, logits))
    return min(found, key=lambda each: each.loss)


def _converged(
    best: _Best,
    truth: NDArray[Any],
    folds: NDArray[np.integer],
    targets: Targets,
    weights: Float | None,
) -> _Best:
    """The same penalty, solved as closely as the head is that is fitted on all items.

    The path of penalties stops early, which regularises: its scores out of fold are better than those of the head that
    is returned (recordings of Emo-DB: 83.5% against 75%), and so is its temperature.
    """
    (scores,) = logistic_path(
        best.reduced.z,
        truth,
        targets.n_outputs,
        folds,
        np.array([best.penalty]),
        weights_N=weights,
        tolerance=FIT_TOLERANCE,
        max_steps=FIT_STEPS,
    )
    return replace(best, scores=scores, temperature=fit_temperature(scores, truth))


def _values(
    form: str, reduced: Reduced, truth: NDArray[Any], folds: NDArray[np.integer], weights: Float | None
) -> _Best:
    """The best penalty of a form by squared error of standardised values."""
    penalties = penalty_path(reduced.z)
    predicted = leave_fold_out(reduced.z, truth, folds, penalties, weights)
    errors = np.average(np.square(predicted - truth).mean(axis=2), axis=1, weights=weights)
    least = int(errors.argmin())
    return _Best(float(errors[least]), form, reduced, float(penalties[least]), 1.0, predicted[least])


def _reduced(features: ClassicalFeatures, form: str, rows: NDArray[np.integer]) -> Reduced:
    x_ND = features.forms[form][rows]
    return reduce(x_ND, standardiser(x_ND, name=f"the classical baseline ({form})"))
