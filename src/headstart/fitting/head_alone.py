"""The head alone: chosen by cross-validation on the stored features, the reference of every policy.

Legend: N items, C classes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headstart import processes
from headstart.fitting.workspace import Workspace

if TYPE_CHECKING:
    from headstart.choose import Choice

SMALL = 1_000  # up to this number of items, a second thread makes the choice of the head slower


def choose(workspace: Workspace, train: np.ndarray) -> Choice:
    """Choose the head alone by cross-validation on items.

    Args:
        workspace: features and labels.
        train: positions of the items.

    Returns:
        The choice; its `positions` are those in the data set.
    """
    from headstart.choose import choose_head

    with workspace.clock.phase("head"):
        choice = processes.from_first(
            lambda: choose_head(
                workspace.features.take(train),
                workspace.labels[train],
                workspace.units(train),
                seed=workspace.plan.seed,
                classes=workspace.classes,
                task=workspace.targets.task,
                n_threads=workspace.setting.n_threads if len(train) > SMALL else 1,
                last_only=workspace.plan.standard_head,
                weights=workspace.weights(train),
            )
        )
    return replace(choice, positions=train[choice.positions])


def logits(workspace: Workspace, choice: Choice, positions: np.ndarray) -> np.ndarray:
    """Scores of items by a head alone, of shape (n_items, C)."""
    return choice.head.logits(workspace.features.take(positions).stacked(choice.head.stages))


def outputs(workspace: Workspace, choice: Choice, positions: np.ndarray) -> np.ndarray:
    """Probabilities, or values for a quantity, of items by a head alone, of shape (n_items, C)."""
    return choice.head.outputs(workspace.features.take(positions).stacked(choice.head.stages))


def known_already(workspace: Workspace, choice: Choice) -> float:
    """How well the untrained source separates the classes: balanced accuracy, out of fold; 0 for other tasks.

    If it is high, training on few labels can only make it worse.

    Args:
        workspace: labels.
        choice: the head alone.
    """
    if not workspace.targets.task.one_per_item or not len(choice.positions):
        return 0.0
    truth, found = workspace.codes[choice.positions], choice.out_of_fold.argmax(axis=1)
    return float(np.mean([(found[truth == code] == code).mean() for code in np.unique(truth)]))
