"""The head alone by cross-validation inside the training part, and beside it on the held-out part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.evidence import Mean, Shift
    from headstart.fitting.evaluation import Evaluation
    from headstart.fitting.workspace import Workspace


def shift_of(workspace: Workspace, choice: Choice, evaluation: Evaluation) -> Shift | None:
    """The head alone on both parts; None if folds hold every item out, or without a choice.

    Args:
        workspace: labels, units and weights.
        choice: the head alone, from the training items.
        evaluation: what it gives for the held-out items.
    """
    from headstart.evidence import mean_quality, shifted

    positions = evaluation.positions
    if evaluation.folds is not None or not choice.profile or not len(positions):
        return None
    outside = mean_quality(
        workspace.targets.task, evaluation.head_alone, workspace.codes[positions], workspace.units(positions)
    )
    return shifted(_inside(workspace, choice), outside)


def cross_validated(workspace: Workspace, choice: Choice) -> dict[str, Any]:
    """The quality of the head alone by cross-validation, for metrics.json: as it was selected, and what to expect.

    Args:
        workspace: task and weights.
        choice: the head alone.
    """
    weights, task = workspace.plan.weights, workspace.targets.task
    return {
        "metric": task.quality_name(balanced=weights is not None and weights.are_balanced),
        "selected": choice.chosen.quality,
        "expected": choice.interval().to_json(),
    }


def _inside(workspace: Workspace, choice: Choice) -> Mean:
    """The quality of the head alone inside the training part, by cross-validation, corrected for the choice.

    The choice counts by weights, if there are any, and held-out items count the same: then the items of the chosen head
    are counted the same here too, without the correction.
    """
    from headstart.evidence import Mean, mean_quality

    if workspace.plan.weights is not None:
        codes, units = workspace.codes[choice.positions], workspace.units(choice.positions)
        return mean_quality(workspace.targets.task, choice.out_of_fold, codes, units)
    return Mean(choice.expected, choice.standard_error, choice.freedom)
