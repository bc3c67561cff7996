"""The evidence of a run: scores with intervals, baselines, speaker verification, the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.fitting.baselines import (
    ChosenBaseline,
    chosen_baseline,
    head_alone,
    n_train,
    without_pretraining,
)
from headstart.fitting.evaluation import Evaluation
from headstart.fitting.speakers import speaker_evidence
from headstart.fitting.workspace import Workspace

if TYPE_CHECKING:
    from headstart.evidence import Verdict
    from headstart.metrics import Interval, Units


@dataclass(frozen=True, eq=False)
class Evidence:
    """Scores of a result, and what they are compared with. Intervals count units, not items (`DataSet.units`).

    Attributes:
        test: metric to interval, on items not learned from.
        baselines: the same of `majority`, `classical`, `scratch` (if trained) and `probe`.
        differences: the paired difference from each baseline, result minus baseline, in the verdict's metric.
        learned_from: number of items that `result` and each baseline were learned from; with folds their mean.
        baseline_choice: the baseline that the verdict compares with, chosen on training items.
        verdict: outcome, what it was measured against, and the paired difference.
        verification: `eer` and `min_dcf`, for a speaker target.
        verification_notes: how many trials of which kind, and the scores of trials of one gender.
        calibration: what the temperature did (see `_calibration`); empty for a quantity.
        source_data: what the source has seen of the held-out items (see `_of_source_data`); empty if that is
            not known.
    """

    test: Mapping[str, Interval]
    baselines: Mapping[str, Mapping[str, Interval]]
    differences: Mapping[str, Interval]
    learned_from: Mapping[str, int]
    baseline_choice: ChosenBaseline
    verdict: Verdict
    verification: Mapping[str, Interval] | None = None
    verification_notes: Mapping[str, Any] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    source_data: Mapping[str, Any] = field(default_factory=dict)


def gather(
    workspace: Workspace, evaluation: Evaluation, *, classical: bool, verifies: bool = True
) -> Evidence:
    """Measure a result and the baselines that it is compared with.

    Args:
        workspace: the plan with its features.
        evaluation: outputs of the result for items that were not learned from.
        classical: measure the classical baseline too.
        verifies: measure speaker verification by the source's embeddings; not if the source is no part of the run.
    """
    from headstart.evidence import compared, judge

    plain = without_pretraining(workspace, evaluation, classical=classical)
    baselines, chosen = {**plain, "probe": head_alone(evaluation)}, chosen_baseline(plain, evaluation)
    task, outputs = workspace.targets.task, evaluation.probabilities
    codes, units = workspace.codes[evaluation.positions], units_of(workspace, evaluation)
    transferred = outputs if evaluation.transferred is None else evaluation.transferred
    with workspace.clock.phase("evaluate"):
        verified = speaker_evidence(workspace, evaluation) if verifies else None
        return Evidence(
            test=task.metrics(codes, outputs, units),
            baselines={name: task.metrics(codes, b.outputs, units) for name, b in baselines.items()},
            differences={
                name: compared(codes, outputs, b.outputs, units, task=task) for name, b in baselines.items()
            },
            learned_from={
                "result": n_train(evaluation),
                **{name: b.n_train for name, b in baselines.items()},
            },
            baseline_choice=chosen,
            verdict=judge(codes, transferred, chosen.outputs, units, against=chosen.name, task=task),
            verification=None if verified is None else verified.scores,
            verification_notes={} if verified is None else verified.notes,
            calibration=_calibration(workspace, evaluation, units),
            source_data=_of_source_data(workspace, evaluation, units),
        )


def units_of(workspace: Workspace, evaluation: Evaluation) -> Units:
    """What belongs together among the held-out items; with folds, standard errors are wider."""
    from headstart.evidence import cross_validation_factor
    from headstart.metrics import Units

    positions = evaluation.positions
    widen = 1.0 if evaluation.folds is None else cross_validation_factor(len(evaluation.rounds))
    return Units.of(workspace.units(positions), len(positions), widen=widen)


def _calibration(workspace: Workspace, evaluation: Evaluation, units: Units) -> Mapping[str, Any]:
    """What the temperature did to the log loss of the held-out items.

    `temperature` (with folds their mean), the log loss `before` and `after` the scores are divided by it, and its
    paired `change` with an interval. The scores of a ridge head are not log probabilities: of these only the
    temperature, which makes probabilities of them.
    """
    from headstart.heads.calibrate import change_of_log_loss

    if not workspace.targets.task.has_classes:
        return {}
    temperatures = evaluation.temperatures
    found = {"temperature": float(np.mean(temperatures))}
    if not all(each.log_probabilities for each in evaluation.rounds):
        return found
    codes = workspace.codes[evaluation.positions]
    before, after, change = change_of_log_loss(evaluation.scores, temperatures, codes, units)
    return {
        **found,
        "before": {"log_loss": before},
        "after": {"log_loss": after},
        "change": {"log_loss": change.to_json()},
    }


def _of_source_data(workspace: Workspace, evaluation: Evaluation, units: Units) -> dict[str, Any]:
    """For metrics.json: which held-out items the source has seen, and the scores without them; {} if it is not known.

    Args:
        workspace: the plan.
        evaluation: outputs for the held-out items.
        units: what belongs together among them.
    """
    from headstart.evidence import without_seen

    overlap = workspace.plan.overlap
    if overlap is None:
        return {}
    where = np.full(len(workspace.plan.data), False)
    where[overlap.positions] = overlap.seen
    seen = where[evaluation.positions]
    found: dict[str, Any] = {
        "name": overlap.name,
        "n_items": overlap.n_items,
        "n_unreadable": overlap.n_unreadable,
        "n_copies": int(overlap.copies.sum()),
        "n_near_copies": int(overlap.near.sum()),
    }
    if seen.any():
        codes = workspace.codes[evaluation.positions]
        without = without_seen(workspace.targets.task, codes, evaluation.probabilities, seen, units)
        found["without_seen"] = without.to_json()
    return found
