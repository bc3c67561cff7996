"""Baselines of a result, learned from exactly the items that the result was learned from.

Legend: N held-out items, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.fitting.evaluation import Evaluation
from headstart.fitting.workspace import Workspace


@dataclass(frozen=True, eq=False)
class Baseline:
    """What a baseline gives for the held-out items.

    Attributes:
        outputs: probabilities or values, of shape (N, C).
        n_train: number of items that it was learned from; with folds their mean, rounded.
    """

    outputs: np.ndarray
    n_train: int


def without_pretraining(
    workspace: Workspace, evaluation: Evaluation, *, classical: bool
) -> dict[str, Baseline]:
    """The baselines without pretrained weights, by name: `majority`, `classical`, and `scratch` of a race.

    Args:
        workspace: the plan with its features.
        evaluation: of the result.
        classical: whether the classical baseline is measured.
    """
    found = {"majority": _majority(workspace, evaluation)}
    if classical:
        with workspace.clock.phase("baseline"):
            found["classical"] = _classical(workspace, evaluation)
    if evaluation.scratch is not None and evaluation.scratch_from is not None:
        found["scratch"] = Baseline(evaluation.scratch, len(evaluation.scratch_from))
    return found


def head_alone(evaluation: Evaluation) -> Baseline:
    """The head alone on the pretrained features.

    Args:
        evaluation: of the result.
    """
    return Baseline(evaluation.head_alone, n_train(evaluation))


def n_train(evaluation: Evaluation) -> int:
    """Number of items that a result was learned from; with folds their mean, rounded.

    Args:
        evaluation: of the result.
    """
    return _mean_size([each.learned_from for each in evaluation.rounds])


def _majority(workspace: Workspace, evaluation: Evaluation) -> Baseline:
    """The shares of classes or labels, or the mean, of the items learned from, for every held-out item."""
    from headstart.evidence import majority

    outputs = np.zeros_like(evaluation.probabilities)
    for each in evaluation.rounds:
        codes = workspace.codes[each.learned_from]
        outputs[each.rows] = majority(codes, outputs.shape[1], len(each.rows), workspace.targets.task)
    return Baseline(outputs, n_train(evaluation))


def _classical(workspace: Workspace, evaluation: Evaluation) -> Baseline:
    """Classical features with a linear head."""
    from headstart.data.items import take_items
    from headstart.evidence import extract_classical, fit_classical, items_to_learn_from

    examples, seed = workspace.plan.data.examples, workspace.plan.seed
    learned = [items_to_learn_from(each.learned_from, seed) for each in evaluation.rounds]
    used = np.unique(np.concatenate([*learned, evaluation.positions]))
    row = np.full(len(examples), -1)
    row[used] = np.arange(len(used))
    features = extract_classical(
        take_items(examples.items, used), examples.modality, threads=workspace.setting.n_threads
    )
    outputs = np.zeros_like(evaluation.probabilities)
    for each, train in zip(evaluation.rounds, learned, strict=True):
        model = fit_classical(
            features,
            row[train],
            workspace.labels[train],
            workspace.units(train),
            classes=workspace.classes,
            task=workspace.targets.task,
            seed=seed,
        )
        outputs[each.rows] = model.probabilities(features, row[evaluation.positions[each.rows]])
    return Baseline(outputs, _mean_size(learned))


def _mean_size(parts: list[np.ndarray]) -> int:
    return round(float(np.mean([len(part) for part in parts])))
