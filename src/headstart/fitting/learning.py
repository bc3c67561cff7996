"""From labelled items to a network and a head, under a policy; choices see training items only.

`all` chooses a head on stored features by cross-validation. A policy that trains the network sets 15% of the
training items aside as validation, by group, unless a validation part was given; its result is returned only if it
is better there than the head alone beyond chance (do no harm).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.errors import DataError
from headstart.fitting import head_alone
from headstart.fitting.comparing import set_aside, what_to_do
from headstart.fitting.foreseen import foresee, warn
from headstart.fitting.guarding import guarded
from headstart.fitting.learnable import clause, sets_aside, why_not_learnable
from headstart.fitting.race import race
from headstart.fitting.result import Result
from headstart.fitting.training import train_or_head_alone
from headstart.fitting.workspace import Workspace
from headstart.progress import say

if TYPE_CHECKING:
    from headstart.choose import Choice


@dataclass(frozen=True)
class AgainstClassical:
    """What is compared with classical features.

    Attributes:
        foresees: the head alone, before anything is trained.
        warns: a risk that is foreseen is printed.
        guards: the result; classical features take its place where they are better.
    """

    foresees: bool = False
    warns: bool = True
    guards: bool = False


NOT_COMPARED = AgainstClassical()


def learn(
    workspace: Workspace,
    train: np.ndarray,
    validation: np.ndarray,
    folder: Path | None,
    resume: bool,
    against: AgainstClassical = NOT_COMPARED,
) -> Result:
    """Learn from items under the plan's policy.

    Args:
        workspace: the plan with its features.
        train: positions of the items to learn from.
        validation: positions of a given validation part; empty: 15% of `train` if one is needed and there are
            enough.
        folder: for checkpoints and history.
        resume: resume from checkpoints in the folder.
        against: what is compared with classical features.
    """
    policy = workspace.plan.policy
    trains = policy.cut != len(policy.stages)
    is_set_aside, why = trains and not len(validation) and sets_aside(workspace.plan, len(train)), ""
    if is_set_aside:
        why, parts = parts_of(workspace, train)
        train, validation = parts or (train, validation)
    choice = head_alone.choose(workspace, train)
    plain = workspace.plan.weights is None  # weighted choices are not foreseen by shares of items
    foreseen = foresee(workspace, choice) if against.foresees and plain else None
    if foreseen is not None and against.warns:
        warn(workspace, foreseen, guards=against.guards)
    if not trains:
        result = Result.head_alone(workspace.plan.source, choice, train, choice.reason)
    elif why:
        result = _untrained(workspace, choice, train, why)
    else:
        result = _trained(workspace, choice, train, validation, folder, resume, set_aside=is_set_aside)
    result = replace(result, foreseen=foreseen)
    return guarded(workspace, result) if against.guards else result


def _trained(
    workspace: Workspace,
    choice: Choice,
    train: np.ndarray,
    validation: np.ndarray,
    folder: Path | None,
    resume: bool,
    *,
    set_aside: bool,
) -> Result:
    """The result of a policy that trains the network, or the head alone if that knows the few items already."""
    from headstart.tune.objectives.contrastive import KNOWN

    known = 0.0 if len(validation) else head_alone.known_already(workspace, choice)
    if known >= KNOWN:
        reason = (
            f"The head alone reached a balanced accuracy of {known:.3f} in cross-validation on these few labels: "
            "training the network on them would more likely lower than raise it, so the head alone is returned."
        )
        say(reason)
        return Result.head_alone(workspace.plan.source, choice, train, reason)
    if workspace.plan.policy.kind.chooses == "race":
        with workspace.clock.phase("tune"):
            return race(workspace, choice, train, validation, folder, resume)
    return train_or_head_alone(workspace, choice, train, validation, folder, resume, set_aside=set_aside)


def parts_of(workspace: Workspace, train: np.ndarray) -> tuple[str, tuple[np.ndarray, np.ndarray] | None]:
    """Positions to learn from and to compare on; or why there are none, as a clause.

    Args:
        workspace: the plan with its features.
        train: positions of the training items.
    """
    try:
        inside, aside = set_aside(workspace, train)
    except DataError as error:
        return clause(error), None
    why = why_not_learnable(workspace.plan, inside)
    return why, None if why else (inside, aside)


def _untrained(workspace: Workspace, choice: Choice, train: np.ndarray, why: str) -> Result:
    """The head alone, where no items can be set aside to compare a training with it."""
    reason = (
        f"Nothing was trained: of the {len(train)} training items none can be set aside to compare a training with the "
        f"head alone ({why}), so the head alone is returned. {what_to_do(workspace)}"
    )
    say(reason)
    return Result.head_alone(workspace.plan.source, choice, train, reason)
