"""What a fit has learned from, by which its run recognises these items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.fitting.evaluation import Evaluation
from headstart.fitting.result import Result
from headstart.fitting.workspace import Workspace

if TYPE_CHECKING:
    from headstart.runs.learned_items import LearnedItems


def learned_items(workspace: Workspace, result: Result, evaluation: Evaluation) -> LearnedItems:
    """The items that were learned from, or chosen by, and those that only the score was measured on.

    After folds nothing was held out from what the run predicts with, nor if it was learned again from every label.

    Args:
        workspace: of the fit.
        result: of the fit.
        evaluation: of the result.
    """
    from headstart.runs.learned_items import LearnedItems

    held_out = evaluation.positions
    if evaluation.folds is not None or result.refit is not None:
        held_out = held_out[:0]
    return LearnedItems.of(workspace.plan.data, held_out)
