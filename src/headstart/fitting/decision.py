"""What a run answers by a threshold, and what that gives on the held-out items.

Legend: N held-out items.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.fitting.evidence import units_of
from headstart.fitting.threshold import chosen_threshold, is_of, not_learned_from
from headstart.progress import say
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
    positions, _ = not_learned_from(workspace, result)
    column = workspace.classes.index(rule.name)
    of_class = positions[is_of(workspace, positions, column)]
    n_of_class, units = len(of_class), workspace.units(of_class)
    n_units = n_of_class if units is None else len(np.unique(units))
    if threshold is None:
        what = f"{counted(n_of_class, 'items')} of the class among {len(positions):,}"
        say(
            f"warning: --threshold {rule.name}:{rule.text}: no threshold reaches this on the items it is chosen on "
            f"({what}), so the usual answer is given. Ask for less, or label more items"
        )
        return None
    found = Decision(threshold, rule.text, _where(result), len(positions), n_units, rule.least_items)
    if rule.goal == "cost":  # the same on all items
        found = replace(found, chosen_on="", n_items=0, n_of_class=0, least=0)
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


def _where(result: Result) -> str:
    """Which items the threshold was chosen on, in words."""
    return (
        "validation items"
        if result.is_trained and result.classical is None
        else "training items, cross-validated"
    )
