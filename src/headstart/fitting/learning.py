"""From labelled items to a network and a head, under a policy; choices see training items only.

`all` chooses a head on stored features by cross-validation. A policy that trains the network sets 15% of the
training items aside as validation, by group, unless a validation part was given; its result is returned unless it
is worse there than the head alone (do no harm).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from headstart.errors import DataError
from headstart.fitting import head_alone
from headstart.fitting.learnable import sets_aside
from headstart.fitting.race import race
from headstart.fitting.result import Result
from headstart.fitting.training import train_or_head_alone
from headstart.fitting.workspace import Workspace
from headstart.progress import say


def learn(
    workspace: Workspace, train: np.ndarray, validation: np.ndarray, folder: Path | None, resume: bool
) -> Result:
    """Learn from items under the plan's policy.

    Args:
        workspace: the plan with its features.
        train: positions of the items to learn from.
        validation: positions of a given validation part; empty: 15% of `train` if one is needed and there are
            enough.
        folder: for checkpoints and history.
        resume: resume from checkpoints in the folder.
    """
    from headstart.tune.objectives.contrastive import KNOWN

    policy, source = workspace.plan.policy, workspace.plan.source
    if policy.cut == len(policy.stages):
        choice = head_alone.choose(workspace, train)
        return Result.head_alone(source, choice, train, choice.reason)
    set_aside = not len(validation) and not _learns_from_all(workspace, train)
    if set_aside:
        train, validation = _set_aside(workspace, train)
    choice = head_alone.choose(workspace, train)
    known = 0.0 if len(validation) else head_alone.known_already(workspace, choice)
    if known >= KNOWN:
        reason = (
            f"The head alone reached a balanced accuracy of {known:.3f} in cross-validation on these few labels: "
            "training the network on them would more likely lower than raise it, so the head alone is returned."
        )
        say(reason)
        return Result.head_alone(source, choice, train, reason)
    if policy.kind.chooses == "race":
        with workspace.clock.phase("tune"):
            return race(workspace, choice, train, validation, folder, resume)
    return train_or_head_alone(workspace, choice, train, validation, folder, resume, set_aside=set_aside)


def _learns_from_all(workspace: Workspace, train: np.ndarray) -> bool:
    """Whether there are so few labels that all are used for training, in the fixed number of steps of the recipe.

    A part set aside would be too small to choose by, and the training needs every label.
    """
    return not sets_aside(workspace.plan, len(train))


def _set_aside(workspace: Workspace, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from headstart.data import holdout_indices

    plan = workspace.plan
    strata = np.asarray(plan.data.strata)
    try:
        inside, aside = holdout_indices(strata[train], workspace.units(train), 0.15, plan.seed)
    except DataError as error:
        raise DataError(
            f"of the {len(train)} training items none can be set aside to compare by, as a policy that trains "
            f"the network does: {error} Or fit the head alone (--freeze all), or learn from every label "
            "(--freeze none --recipe few-shot)"
        ) from None
    return train[inside], train[aside]
