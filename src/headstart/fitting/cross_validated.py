"""The head alone by cross-validation inside the training part, and beside it on the held-out part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.evidence import Mean, Shift
    from headstart.fitting.evaluation import Evaluation
    from headstart.fitting.workspace import Workspace
    from headstart.tasks import Task


def shift_of(workspace: Workspace, choice: Choice, evaluation: Evaluation) -> Shift | None:
    """The head alone on the training and the held-out part; None if folds hold every item out, or without a choice.

    Args:
        workspace: the plan with its features.
        choice: the head alone.
        evaluation: of the held-out part.
    """
    from headstart.evidence import mean_quality, shifted

    positions = evaluation.positions
    if evaluation.folds is not None or not choice.profile or not len(positions):
        return None
    outside = mean_quality(
        workspace.targets.task, evaluation.head_alone, workspace.codes[positions], workspace.units(positions)
    )
    return shifted(_inside(choice), outside)


def cross_validated(choice: Choice, task: Task) -> dict[str, Any]:
    """The quality of the head alone by cross-validation, for metrics.json: as it was selected, and what to expect.

    Args:
        choice: the head alone.
        task: what is learned.
    """
    return {
        "metric": task.quality,
        "selected": choice.chosen.quality,
        "expected": choice.interval().to_json(),
    }


def _inside(choice: Choice) -> Mean:
    """The quality of the head alone inside the training part, by cross-validation, corrected for the choice."""
    from headstart.evidence import Mean

    return Mean(choice.expected, choice.standard_error, choice.freedom)
