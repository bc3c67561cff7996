"""Choose a correction, or none: by the log loss of cross-validation, and only if it is better than none beyond chance.

Every item is predicted with the correction that was fitted without its fold. Items of one unit (a group, exact copies)
lie in one fold. Folds are drawn at random, not stratified: in stratified folds the held-out shares of the classes are
those that the biases were fitted to, so that biases would look better than they are.

A candidate counts if the 95% interval of its change of the log loss lies below 0; the one with the least log loss among
these is chosen. The corrections of the folds share items, so that the interval is as wide as that of every
cross-validation (`evidence.folds`). The change of the one that is chosen is that of a correction that was chosen
because it looked good: with few items it is too good.

Legend: N items, C outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.evidence.folds import cross_validation_factor
from headstart.heads.correction import Correction, scores_of
from headstart.heads.recalibrate import fit_correction
from headstart.metrics import Interval, Units
from headstart.metrics.skewed import skewed_mean
from headstart.tasks import Task

N_FOLDS = 5
CANDIDATES = {"temperature": False, "temperature and biases": True}  # name to whether outputs get biases
SMALL_GAIN = 0.02  # of log loss; if no more can be gained, the probabilities count as right


@dataclass(frozen=True, eq=False)
class Candidate:
    """One way to correct.

    Attributes:
        name: a key of CANDIDATES.
        correction: fitted to all items.
        outputs_NC: cross-validated probabilities, of shape (N, C), float32.
        change: of the mean log loss by it, cross-validated; below 0 it helps.
        change_fitted: the same of the correction that was fitted to all items, on these items: too low by what was
            fitted to chance.
    """

    name: str
    correction: Correction
    outputs_NC: NDArray[Any]
    change: Interval
    change_fitted: Interval

    @property
    def has_biases(self) -> bool:
        """Whether it has one bias per class or label."""
        return CANDIDATES[self.name]

    @property
    def words(self) -> str:
        """What it is, with its temperature: "a temperature of 1.8 and biases"."""
        biases = " and biases" if self.has_biases else ""
        return f"a temperature of {self.correction.temperature:.2g}{biases}"

    @property
    def helps(self) -> bool:
        """Whether it is better than no correction beyond chance."""
        return self.change.high is not None and self.change.high < 0


@dataclass(frozen=True, eq=False)
class Choice:
    """What was chosen.

    Attributes:
        candidates: every one that was tried.
        chosen: the best of those that help; None: no correction is made.
        n_folds: of the cross-validation.
    """

    candidates: Sequence[Candidate]
    chosen: Candidate | None
    n_folds: int

    @property
    def could_gain(self) -> float | None:
        """The largest gain of log loss by any candidate that chance does not rule out; None if that is not known.

        By the corrections that were fitted to all items: with few items those of cross-validation are worse than what
        more items would give, so that too much would be ruled out.
        """
        lows = [each.change_fitted.low for each in self.candidates]
        known = [low for low in lows if low is not None]
        return max(0.0, -min(known)) if len(known) == len(lows) else None

    @property
    def is_right(self) -> bool:
        """Whether no correction was made because little could be gained."""
        gain = self.could_gain
        return self.chosen is None and gain is not None and gain <= SMALL_GAIN


def choose(
    task: Task, outputs_NC: NDArray[np.floating], targets: NDArray[Any], units: Units, *, seed: int = 0
) -> Choice:
    """Try every candidate.

    Args:
        task: classes or labels.
        outputs_NC: probabilities that the model gives for N items.
        targets: their classes or labels, as `Targets.encode` gives them.
        units: what belongs together among the items; at least two.
        seed: of the folds.
    """
    scores_NC, folds = scores_of(task, outputs_NC), folds_of(units, seed)
    n_folds = int(folds.max()) + 1
    before, wider = task.item_losses(outputs_NC, targets), cross_validated(units, n_folds)
    candidates = []
    for name, with_biases in CANDIDATES.items():
        correction = fit_correction(task, scores_NC, targets, with_biases=with_biases)
        held_out = np.empty_like(outputs_NC, dtype=np.float32)
        for fold in range(n_folds):
            inside = folds == fold
            fitted = fit_correction(
                task, scores_NC[~inside], targets[~inside], with_biases=with_biases, start=correction
            )
            held_out[inside] = fitted.outputs(task, scores_NC[inside])
        change, change_fitted = (
            skewed_mean(task.item_losses(outputs, targets) - before, each)
            for outputs, each in ((held_out, wider), (correction.outputs(task, scores_NC), units))
        )
        candidates.append(Candidate(name, correction, held_out, change, change_fitted))
    helping = [each for each in candidates if each.helps]
    chosen = min(helping, key=lambda each: float(each.change), default=None)
    return Choice(tuple(candidates), chosen, n_folds)


def cross_validated(units: Units, n_folds: int) -> Units:
    """Return the units of items whose corrections were fitted in folds: standard errors are wider.

    Args:
        units: of the items.
        n_folds: at least two.
    """
    return Units.of(units, units.n_items, widen=cross_validation_factor(n_folds))


def folds_of(units: Units, seed: int = 0) -> NDArray[np.intp]:
    """Return the fold of each item, of shape (N,), from 0: five, or as many as there are units.

    Args:
        units: at least two.
        seed: of the draw.
    """
    n_folds = min(N_FOLDS, units.n_units)
    of_units = np.random.default_rng(seed).permutation(units.n_units) % n_folds
    return np.asarray(of_units[units.numbers], dtype=np.intp)
