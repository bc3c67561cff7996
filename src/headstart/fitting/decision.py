"""What a run answers by a threshold, and what that gives on the held-out items.

Legend: N held-out items.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.data.findings import Finding
from headstart.fitting.evidence import units_of
from headstart.fitting.threshold import LeftOut, chosen_threshold
from headstart.metrics import Units
from headstart.runs.decision import Decision, scores_of
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.fitting.evaluation import Evaluation
    from headstart.fitting.result import Result
    from headstart.fitting.workspace import Workspace


def decision_of(workspace: Workspace, result: Result, evaluation: Evaluation) -> Decision | None:
    """The threshold that the run answers by, and what thresholds so chosen give on the held-out items.

    Args:
        workspace: that the result was learned in.
        result: of the run.
        evaluation: its outputs for the held-out items, each with the threshold of its round.
    """
    rule, threshold = workspace.plan.threshold, chosen_threshold(workspace, result)
    if rule is None:
        return None
    left_out = LeftOut.of(workspace, result)
    n_items = len(left_out.positions)
    of_class = left_out.positions[workspace.targets.has(workspace.codes[left_out.positions], rule.name)]
    if threshold is None:
        return None
    n_of_class = Units.of(workspace.units(of_class), len(of_class)).n_units
    found = Decision.by(rule, threshold.value, left_out.words, n_items, n_of_class)
    decided = [each for each in evaluation.rounds if each.threshold is not None]
    answers = answers_of(workspace, evaluation)
    if answers is None or not len(answers):
        return found
    rows = np.sort(np.concatenate([each.rows for each in decided]))
    codes, units_N = (
        workspace.codes[evaluation.positions[rows]],
        units_of(workspace, evaluation).of_some(rows),
    )
    scores = scores_of(workspace.targets, codes, answers[rows], threshold, units_N)
    return replace(found, scores=scores, n_folds_without=len(evaluation.rounds) - len(decided))


def missed(workspace: Workspace, result: Result) -> Finding:
    """The finding that no threshold does what the rule of the plan asks for.

    Args:
        workspace: that the result was learned in.
        result: of the run.
    """
    rule, left_out = workspace.plan.threshold, LeftOut.of(workspace, result)
    assert rule is not None
    n_of_class = int(workspace.targets.has(workspace.codes[left_out.positions], rule.name).sum())
    return Finding(
        "threshold",
        "warning",
        f"No threshold reaches {rule.name}:{rule.text} on the items it is chosen on "
        f"({counted(n_of_class, 'items')} of the class among {len(left_out.positions):,}), so the usual answer is "
        "given. Ask for less, or label more items.",
    )


def answers_of(workspace: Workspace, evaluation: Evaluation) -> np.ndarray | None:
    """What the result answers for the held-out items, of shape (N,); None if no threshold decides.

    Args:
        workspace: that the result was learned in.
        evaluation: its outputs, each with the threshold of its round.
    """
    if all(each.threshold is None for each in evaluation.rounds):
        return None
    answers = workspace.targets.decode(evaluation.probabilities).astype(object)
    for each in evaluation.rounds:
        if each.threshold is not None:
            answers[each.rows] = each.threshold.answers(
                evaluation.probabilities[each.rows], workspace.targets
            )
    return answers
