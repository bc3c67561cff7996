"""The evidence of a run: scores with intervals, baselines, speaker verification, the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.fitting.evaluation import Evaluation
from headstart.fitting.speakers import speaker_evidence
from headstart.fitting.workspace import Workspace

if TYPE_CHECKING:
    from headstart.evidence import Verdict
    from headstart.metrics import Interval


@dataclass(frozen=True, eq=False)
class Evidence:
    """Scores of a result, and what they are compared with.

    Attributes:
        test: metric to interval, on items not learned from.
        baselines: the same of `majority`, `classical`, `scratch` (if trained) and `probe`.
        verdict: outcome, what it was measured against, and the paired difference.
        verification: `eer` and `min_dcf`, for a speaker target.
        verification_notes: how many trials of which kind, and the scores of trials of one gender.
        calibration: `temperature`, and `calibration_error` and `log_loss` `before` and `after` the scores are divided
            by it; empty for a quantity.
    """

    test: Mapping[str, Interval]
    baselines: Mapping[str, Mapping[str, Interval]]
    verdict: Verdict
    verification: Mapping[str, Interval] | None = None
    verification_notes: Mapping[str, Any] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)


def gather(workspace: Workspace, evaluation: Evaluation, *, classical: bool) -> Evidence:
    """Measure a result and the baselines that it is compared with.

    Args:
        workspace: the plan with its features.
        evaluation: outputs of the result for items that were not learned from.
        classical: measure the classical baseline too.
    """
    from headstart.evidence import judge

    positions = evaluation.positions
    codes, groups = workspace.codes[positions], workspace.plan.data.examples.groups
    others = {"majority": _majority(workspace, evaluation)}
    if classical:
        with workspace.clock.phase("baseline"):
            others["classical"] = _classical(workspace, evaluation)
    if evaluation.scratch is not None:
        others["scratch"] = evaluation.scratch
    without_pretraining = dict(others)
    others["probe"] = evaluation.head_alone
    with workspace.clock.phase("evaluate"):
        own_groups = None if groups is None else groups[positions]
        verified = speaker_evidence(workspace, evaluation)
        test = _scores(workspace, positions, evaluation.probabilities)
        return Evidence(
            test=test,
            baselines={name: _scores(workspace, positions, p) for name, p in others.items()},
            verdict=judge(
                codes, evaluation.probabilities, without_pretraining, own_groups, task=workspace.targets.task
            ),
            verification=None if verified is None else verified.scores,
            verification_notes={} if verified is None else verified.notes,
            calibration=_calibration(workspace, evaluation, test),
        )


def _calibration(
    workspace: Workspace, evaluation: Evaluation, test: Mapping[str, Interval]
) -> Mapping[str, Any]:
    """What temperature scaling did to the probabilities of the held-out items; without intervals."""
    task = workspace.targets.task
    if not task.has_classes:
        return {}
    before = test
    if (evaluation.temperatures != 1).any():
        codes = workspace.codes[evaluation.positions]
        unscaled_NC = task.unscaled(evaluation.probabilities, evaluation.temperatures[:, None])
        before = task.metrics(codes, unscaled_NC)
    return {
        "temperature": float(np.mean(evaluation.temperatures)),
        "before": {name: before[name].value for name in ("calibration_error", "log_loss")},
        "after": {name: test[name].value for name in ("calibration_error", "log_loss")},
    }


def _scores(workspace: Workspace, positions: np.ndarray, probabilities: np.ndarray) -> Mapping[str, Interval]:
    groups = workspace.plan.data.examples.groups
    own_groups = None if groups is None else groups[positions]
    return workspace.targets.task.metrics(workspace.codes[positions], probabilities, own_groups)


def _rounds(workspace: Workspace, evaluation: Evaluation) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    return evaluation.rounds(workspace.plan.data.positions("train"))


def _majority(workspace: Workspace, evaluation: Evaluation) -> np.ndarray:
    """The shares of classes or labels, or the mean, of the training items, for every held-out item."""
    from headstart.evidence import majority

    n_classes = len(workspace.classes)
    probabilities = np.zeros((len(evaluation.positions), n_classes), np.float32)
    for train, _, rows in _rounds(workspace, evaluation):
        probabilities[rows] = majority(workspace.codes[train], n_classes, len(rows), workspace.targets.task)
    return probabilities


def _classical(workspace: Workspace, evaluation: Evaluation) -> np.ndarray:
    """Probabilities of the classical baseline, learned from the same items."""
    from headstart.data.items import take_items
    from headstart.evidence import extract_classical, fit_classical

    examples = workspace.plan.data.examples
    used = np.unique(
        np.concatenate([np.r_[train, held_out] for train, held_out, _ in _rounds(workspace, evaluation)])
    )
    row = np.full(len(examples), -1)
    row[used] = np.arange(len(used))
    features = extract_classical(
        take_items(examples.items, used), examples.modality, threads=workspace.setting.n_threads
    )
    probabilities = np.zeros((len(evaluation.positions), len(workspace.classes)), np.float32)
    for train, held_out, rows in _rounds(workspace, evaluation):
        model = fit_classical(
            features,
            row[train],
            workspace.labels[train],
            workspace.units(train),
            classes=workspace.classes,
            task=workspace.targets.task,
            seed=workspace.plan.seed,
        )
        probabilities[rows] = model.probabilities(features, row[held_out])
    return probabilities
