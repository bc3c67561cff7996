"""Learn, and measure the result on items it has not seen: the held-out part once, or every fold in turn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from headstart.fitting.learner import Learner
from headstart.fitting.race import scratch_outputs
from headstart.fitting.result import Learned
from headstart.fitting.training import trained_on_all
from headstart.progress import progress


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was seen on items that were not learned from.

    Attributes:
        positions: of these items in the data, of shape (n_items,).
        probabilities: of the result, of shape (n_items, C); its values for a quantity.
        probe: of the head alone.
        temperatures: what the scores of each item were divided by, of shape (n_items,).
        folds: fold of each item where the whole procedure was cross-validated, else None.
        scratch: of the same network without its pretrained weights, where a race trained it to its end.
    """

    positions: np.ndarray
    probabilities: np.ndarray
    probe: np.ndarray
    temperatures: np.ndarray
    folds: np.ndarray | None = None
    scratch: np.ndarray | None = None


def learn_and_evaluate(learner: Learner, folder: Path, resume: bool) -> tuple[Learned, Evaluation]:
    """Learn from the training part and predict the held-out one; with `--folds`, cross-validate, then learn
    from all.

    Args:
        learner: the prepared data with its features.
        folder: for checkpoints.
        resume: go on from checkpoints there.
    """
    job, config = learner.job, learner.config
    train, validation, test = (job.positions(part) for part in ("train", "validation", "test"))
    if config.folds is not None:
        evaluation = _cross_validate(learner, train, config.folds, folder, resume)
        return learner.learn(train, validation, folder, resume), evaluation
    learned = learner.learn(train, validation, folder, resume)
    evaluation = Evaluation(
        test,
        learner.probabilities(learned, test),
        learner.probe(learned, test),
        np.full(len(test), learned.head.temperature),
        scratch=scratch_outputs(learner, learned, test),
    )
    if config.refit_all:
        everything = np.arange(len(job.examples))
        learned = _refitted(learner, learned, everything, folder / "on-all", resume)
    return learned, evaluation


def _cross_validate(
    learner: Learner, items: np.ndarray, n_folds: int, folder: Path, resume: bool
) -> Evaluation:
    from headstart.data import fold_indices

    units = learner.job.units
    folds = fold_indices(
        learner.strata[items], None if units is None else units[items], n_folds, learner.config.seed
    )
    probabilities = np.zeros((len(items), len(learner.classes)), np.float32)
    probe, temperatures = np.zeros_like(probabilities), np.ones(len(items))
    numbers = np.unique(folds)
    with progress("Cross-validating", total=len(numbers), unit="folds") as advance:
        for fold in numbers.tolist():
            inside, outside = items[folds != fold], items[folds == fold]
            learned = learner.learn(inside, outside[:0], folder / f"fold-{fold + 1}", resume)
            probabilities[folds == fold] = learner.probabilities(learned, outside)
            probe[folds == fold] = learner.probe(learned, outside)
            temperatures[folds == fold] = learned.head.temperature
            advance(1)
    return Evaluation(items, probabilities, probe, temperatures, folds)


def _refitted(
    learner: Learner, learned: Learned, everything: np.ndarray, folder: Path, resume: bool
) -> Learned:
    """What was chosen, learned from every label; the evaluation stays that of the first result."""
    if learned.is_trained:
        learned = trained_on_all(learner, learned, everything, folder, resume)
    else:
        choice = learner.choose(everything)
        learned = replace(learned, head=choice.head, choice=choice)
    how = ", without the average" if learned.auto is not None and learned.auto.averaged else ""
    reason = f"{learned.reason} Learned from every label after the evaluation{how}."
    return replace(learned, n_train=len(everything), n_validation=0, reason=reason)
