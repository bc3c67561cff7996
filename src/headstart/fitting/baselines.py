"""Baselines of a result, learned from exactly the items that the result was learned from.

The one that the verdict compares with is chosen on these items too, in each fold of its own if there are folds.

Legend: N held-out items, C classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.fitting.evaluation import Evaluation
from headstart.fitting.workspace import Workspace

EACH_FOLD = (
    "the best in each fold"  # name of what the verdict compares with if folds chose different baselines
)


@dataclass(frozen=True, eq=False)
class Baseline:
    """What a baseline gives for the held-out items.

    Attributes:
        outputs: probabilities or values, of shape (N, C).
        n_train: number of items that it was learned from; with folds their mean, rounded.
        quality: in each round of the evaluation its mean quality on training items left out of the fit; () for the head
            alone, which is no baseline without pretrained weights.
    """

    outputs: np.ndarray
    n_train: int
    quality: Sequence[float] = ()


@dataclass(frozen=True, eq=False)
class ChosenBaseline:
    """The baseline that the verdict compares with.

    Attributes:
        name: of the baseline; `EACH_FOLD` if folds chose different ones.
        outputs: for the held-out items, of shape (N, C), in each fold of the baseline that was chosen there.
        times: number of rounds that chose each baseline, by name.
        quality: mean quality of each baseline on training items left out, over the rounds.
    """

    name: str
    outputs: np.ndarray
    times: Mapping[str, int]
    quality: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """How it was chosen, for metrics.json."""
        return {"chosen": dict(self.times), "quality": dict(self.quality)}


def without_pretraining(
    workspace: Workspace, evaluation: Evaluation, *, classical: bool
) -> dict[str, Baseline]:
    """The baselines without pretrained weights, by name: `majority`, `classical`, and `scratch` of a race.

    Args:
        workspace: the plan with its features.
        evaluation: of the result.
        classical: whether the classical baseline is measured.
    """
    found: dict[str, Baseline] = {}
    if classical:
        with workspace.clock.phase("baseline"):
            found["classical"] = _classical(workspace, evaluation)
    found = {"majority": _majority(workspace, evaluation), **found}
    scratch = evaluation.scratch
    if scratch is not None:
        found["scratch"] = Baseline(scratch.outputs, len(scratch.learned_from), [scratch.quality])
    return found


def chosen_baseline(baselines: Mapping[str, Baseline], evaluation: Evaluation) -> ChosenBaseline:
    """Choose what the verdict compares with, by the items that were learned from; held-out ones are not looked at.

    Majority and classical features are judged by cross-validation, the network from scratch by the validation items
    of its race: it is not trained once more for each fold.

    Args:
        baselines: as `without_pretraining` gives them.
        evaluation: of the result.
    """
    from headstart.evidence import best_on_folds

    outputs = np.zeros_like(evaluation.probabilities)
    times: Counter[str] = Counter()
    for number, each in enumerate(evaluation.rounds):
        best = best_on_folds({name: found.quality[number] for name, found in baselines.items()})
        outputs[each.rows] = baselines[best].outputs[each.rows]
        times[best] += 1
    name = next(iter(times)) if len(times) == 1 else EACH_FOLD
    quality = {name: float(np.mean(found.quality)) for name, found in baselines.items()}
    return ChosenBaseline(name, outputs, dict(times), quality)


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
    from headstart.evidence import majority, majority_on_folds

    task = workspace.targets.task
    outputs, quality = np.zeros_like(evaluation.probabilities), []
    for each in evaluation.rounds:
        codes, units = workspace.codes[each.learned_from], workspace.units(each.learned_from)
        outputs[each.rows] = majority(codes, outputs.shape[1], len(each.rows), task)
        left_out = majority_on_folds(codes, units, outputs.shape[1], task, workspace.plan.seed)
        quality.append(left_out.mean_quality(codes, task, workspace.weights(each.learned_from)))
    return Baseline(outputs, n_train(evaluation), quality)


def _classical(workspace: Workspace, evaluation: Evaluation) -> Baseline:
    """Classical features with a linear head."""
    outputs, quality, sizes = np.zeros_like(evaluation.probabilities), [], []
    for each in evaluation.rounds:
        fitted = workspace.classical.fit(each.learned_from)
        outputs[each.rows] = workspace.classical.outputs(fitted, evaluation.positions[each.rows])
        codes, weights = workspace.codes[fitted.learned_from], workspace.weights(fitted.learned_from)
        quality.append(fitted.model.out_of_fold.mean_quality(codes, workspace.targets.task, weights))
        sizes.append(fitted.learned_from)
    return Baseline(outputs, _mean_size(sizes), quality)


def _mean_size(parts: list[np.ndarray]) -> int:
    return round(float(np.mean([len(part) for part in parts])))
