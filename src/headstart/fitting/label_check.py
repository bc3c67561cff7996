"""Check the given labels, by probabilities that were not learned from them. No choice and no score depends on it.

Items that were learned from are judged by the cross-validated probabilities of the head alone, the others by those
of the result. Items set aside for validation are not judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headstart.fitting.evaluation import Evaluation
from headstart.fitting.result import Result
from headstart.fitting.workspace import Workspace

if TYPE_CHECKING:
    from headstart.evidence.label_errors import LabelErrors
    from headstart.runs.label_check import LabelCheck, Suspect


def check_labels(workspace: Workspace, result: Result, evaluation: Evaluation) -> LabelCheck | None:
    """List the labels that may be wrong; None for a quantity.

    Args:
        workspace: labels and names of the items.
        result: has the cross-validated probabilities of the head alone.
        evaluation: probabilities of the result.
    """
    from headstart.evidence.label_errors import label_errors
    from headstart.runs.label_check import LabelCheck

    if not workspace.targets.task.has_classes:
        return None
    choice = result.choice
    inside = ~np.isin(choice.positions, evaluation.positions)  # with --folds every item is held out once
    held_out = "test" if evaluation.folds is None else "train"
    judged = [
        ("train", choice.positions[inside], choice.out_of_fold[inside]),
        (held_out, evaluation.positions, evaluation.probabilities),
    ]
    suspects: list[Suspect] = []
    n_items, noises = {}, []
    for part, positions, outputs in judged:
        if not len(positions):
            continue
        found = label_errors(outputs, workspace.codes[positions], workspace.units(positions))
        suspects += _suspects(workspace, positions, found, part)
        n_items[part] = len(positions)
        noises.append(found.noise)
    suspects.sort(key=lambda suspect: suspect.probability)
    n_answers = len(workspace.classes) if workspace.targets.task.many_per_item else 1
    return LabelCheck(tuple(suspects), n_items, noises[0], n_answers) if noises else None


def _suspects(workspace: Workspace, positions: np.ndarray, found: LabelErrors, part: str) -> list[Suspect]:
    from headstart.runs.label_check import Suspect

    if found.suggested.ndim == 1:
        suggested = [workspace.classes[code] for code in found.suggested]
    else:
        suggested = workspace.targets.decode(found.suggested).tolist()
    names = workspace.plan.data.examples.names
    return [
        Suspect(
            int(at), str(names[at]), part, str(workspace.labels[at]), str(likelier), float(p), float(other)
        )
        for at, likelier, p, other in zip(
            positions[found.rows],
            suggested,
            found.probability,
            found.probability_of_suggested,
            strict=True,
        )
    ]
