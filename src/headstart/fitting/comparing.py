"""What trainings are compared with the head alone on: the validation items, their units, and what to do without enough.

Legend: N items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headstart.fitting import head_alone
from headstart.fitting.workspace import Workspace
from headstart.metrics.spread import unit_numbers

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.tune import Policy, ValidationItems

SHARE, SHARE_OF_RACE = 0.15, 0.25  # of the training items, set aside; a race trains its winner again on all
LARGER = (0.2, 0.25, 1 / 3)  # for enough units


def validation_items(workspace: Workspace, choice: Choice, validation: np.ndarray) -> ValidationItems:
    """The items that the plan's policy is compared with the head alone on.

    Args:
        workspace: the plan with its features.
        choice: the head alone, fitted without these items.
        validation: their positions.
    """
    from headstart.tune import ValidationItems

    return ValidationItems(
        head_alone.logits(workspace, choice, validation),
        workspace.codes[validation],
        workspace.units(validation),
        workspace.targets.task,
        workspace.validation_weights(validation),
        level=level_of(workspace.plan.policy),
        weighted=workspace.plan.weights is not None and not workspace.plan.weights.are_balanced,
        named="different items" if workspace.plan.data.examples.groups is None else "groups",
    )


def level_of(policy: Policy) -> float:
    """The probability with which a training that is not better than the head alone may be returned.

    Args:
        policy: a race, or one that was asked for.
    """
    from headstart.tune.race.comparison import ASKED, RACE

    return RACE if policy.kind.chooses == "race" else ASKED


def what_to_do(workspace: Workspace) -> str:
    """What helps if nothing can be told on the validation items, in a sentence."""
    if workspace.plan.data.examples.groups is None:
        return "To compare, pass a larger validation part."
    return "To compare, pass a validation part with more groups, or another --group."


def set_aside(workspace: Workspace, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions to learn from and positions to compare on: more than usual, up to a third, if units are too few.

    Args:
        workspace: the plan with its features.
        train: positions of the training items.

    Raises:
        DataError: nothing can be set aside.
    """
    from headstart.data import holdout_indices
    from headstart.tune.race.sign_flips import least_units

    strata, units = np.asarray(workspace.plan.data.strata)[train], workspace.units(train)
    usual = SHARE_OF_RACE if workspace.plan.policy.kind.chooses == "race" else SHARE
    shares = [usual, *(share for share in LARGER if share > usual)]
    parts = [holdout_indices(strata, units, share, workspace.plan.seed) for share in shares]
    least = least_units(level_of(workspace.plan.policy))
    enough = [
        each for each in parts if unit_numbers(workspace.units(train[each[1]]), len(each[1]))[1] >= least
    ]
    inside, aside = (enough or parts)[0]
    return train[inside], train[aside]
