"""`--freeze auto`: a race of the candidates that the depth profile suggests, and its result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.errors import OptionError
from headstart.fitting import head_alone
from headstart.fitting.comparing import validation_items, what_to_do
from headstart.fitting.result import Result, source_with
from headstart.fitting.timing import timed_item
from headstart.fitting.training import with_weights
from headstart.fitting.workspace import Workspace
from headstart.progress import say

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.sources import Source
    from headstart.tune import Candidate, Race, Recipe, Trained, Training


def race(
    workspace: Workspace,
    choice: Choice,
    train: np.ndarray,
    validation: np.ndarray,
    folder: Path | None,
    resume: bool,
) -> Result:
    """Race within the budget, and return the head alone or the winner, trained on all items.

    Args:
        workspace: the plan with its features.
        choice: the head alone, fitted on `train`.
        train: positions of the items to learn from.
        validation: positions of the items that candidates are compared on.
        folder: for the study and checkpoints.
        resume: resume what the folder holds.
    """
    from headstart.tune import from_scratch, suggest_candidates

    plan, made = workspace.plan, _Builder(workspace, choice)
    stages = plan.policy.stages
    everything = np.sort(np.concatenate([train, validation]))
    contest = _contest(made, train, validation, everything, folder, resume)
    found = contest.run(
        suggest_candidates([row.score for row in choice.profile], stages), from_scratch(stages)
    )
    if contest.validation.cannot_tell:
        found = replace(found, reason=f"{found.reason}. {what_to_do(workspace)}")
    say(found.reason)
    if found.trained is None:
        refitted = head_alone.choose(workspace, everything)
        more = {"race": found, "raced_on": train, "compared_on": validation}
        return Result.head_alone(plan.source, refitted, everything, found.reason, **more)
    parts = (everything, validation[:0]) if found.refitted else (train, validation)
    same = head_alone.choose(workspace, everything) if found.refitted else choice
    result = with_weights(workspace, found.trained, same, *parts)
    if found.starts_from_scratch:
        provenance = made.with_random_weights().provenance
        result = replace(result, source=replace(result.source, provenance=provenance))
    reason = ". ".join([found.reason, *found.trained.notes])
    return replace(result, race=found, raced_on=train, compared_on=validation, reason=reason)


def _contest(
    made: _Builder,
    train: np.ndarray,
    validation: np.ndarray,
    everything: np.ndarray,
    folder: Path | None,
    resume: bool,
) -> Race:
    """The race before its first candidate."""
    from headstart.tune import Race
    from headstart.tune.training.must_equal import must_equal

    workspace, plan = made.workspace, made.workspace.plan
    nothing = validation[:0]
    return Race(
        lambda candidate, place: made.training(candidate, train, validation, place),
        validation_items(workspace, made.choice, validation),
        budget_seconds=plan.budget_seconds,
        again=None
        if plan.recipe.wise_ft  # it interpolates by validation, and a training on all items has no validation items
        else lambda candidate, place: made.training(candidate, everything, nothing, place),
        growth=len(everything) / max(1, len(train)),
        grouped=plan.data.examples.groups is not None,  # groups, not units: repeated items are not groups
        pass_seconds=_pass_seconds(workspace) * len(train),
        folder=folder,
        resume=resume,
        seed=plan.seed,
        identity=must_equal(
            plan.source,
            plan.policy,
            plan.recipe,
            workspace.setting,
            seed=plan.seed,
            classes=workspace.classes,
            train=workspace.part(train),
            validation=workspace.part(validation),
        ),
    )


def _pass_seconds(workspace: Workspace) -> float:
    """Seconds per item of a forward pass: those of the features, unless they came from the store."""
    taken = workspace.clock.seconds.get("features", 0.0) / len(workspace.plan.data)
    timed, _ = timed_item(workspace.plan, workspace.setting)
    return taken if taken > timed / 4 else timed


@dataclass(frozen=True, eq=False)
class Scratch:
    """The network trained from scratch, as a baseline.

    Attributes:
        outputs: for the items that it is asked about, of shape (n_items, C).
        learned_from: positions of the items that it was learned from.
        quality: mean quality of the validation items of the race.
    """

    outputs: np.ndarray
    learned_from: np.ndarray
    quality: float


def scratch_of(workspace: Workspace, result: Result, positions: np.ndarray) -> Scratch | None:
    """The network trained from scratch; None if none was trained to its end.

    Args:
        workspace: the plan with its features.
        result: the result of a race, or of anything else.
        positions: of the items that it is asked about.
    """
    if result.race is None or result.race.from_scratch is None:
        return None
    trained, task = result.race.from_scratch, workspace.targets.task
    logits, raced_on, compared_on = trained.validation_logits, result.raced_on, result.compared_on
    assert logits is not None and raced_on is not None and compared_on is not None  # as in every race
    outputs = task.activated(logits, trained.head.temperature)
    weights = workspace.weights(compared_on)
    quality = float(task.item_quality(outputs, workspace.codes[compared_on], weights).mean())
    return Scratch(_outputs(workspace, trained, positions), raced_on, quality)


def transferred_outputs(workspace: Workspace, result: Result, positions: np.ndarray) -> np.ndarray | None:
    """Outputs of the best result from pretrained weights, of shape (n_items, C), if the network from scratch won.

    The verdict on transfer is about it: a network from scratch has nothing that was transferred.

    Args:
        workspace: the plan with its features.
        result: the result of a race, or of anything else.
        positions: of the items.
    """
    if result.race is None or not result.race.starts_from_scratch:
        return None
    if result.race.transferred is None:
        return head_alone.outputs(workspace, _raced_choice(workspace, result), positions)
    return _outputs(workspace, result.race.transferred, positions)


def _raced_choice(workspace: Workspace, result: Result) -> Choice:
    """The head alone, learned from the items that the candidates of the race learned from."""
    raced_on = result.raced_on
    assert raced_on is not None  # called for races only
    return result.choice if len(raced_on) == result.n_train else head_alone.choose(workspace, raced_on)


def _outputs(workspace: Workspace, trained: Trained, positions: np.ndarray) -> np.ndarray:
    features = workspace.features_by(source_with(workspace.plan.source, trained.state_dict), positions)
    return trained.head.outputs(features.stacked(trained.head.stages))


class _Builder:
    """Builds the trainings of a race; the network with random weights is made once."""

    def __init__(self, workspace: Workspace, choice: Choice) -> None:
        self.workspace, self.choice = workspace, choice
        self._random: Source | None = None

    def with_random_weights(self) -> Source:
        """The source with random weights."""
        from headstart.sources import random_weights

        if self._random is None:
            plan = self.workspace.plan
            self._random = random_weights.with_random_weights(plan.source, seed=plan.seed, arch=plan.arch)
        return self._random

    def training(
        self, candidate: Candidate, train: np.ndarray, validation: np.ndarray, folder: Path
    ) -> Training:
        """The training of a candidate."""
        recipe = self.workspace.plan.recipe_for(candidate.policy)
        return self.workspace.training(
            candidate.policy,
            at_rate(recipe, candidate.rate_factor),
            train,
            validation,
            folder,
            probe=None if candidate.from_scratch else self.choice.head,
            source=self.with_random_weights() if candidate.from_scratch else None,
        )


def at_rate(recipe: Recipe, factor: float) -> Recipe:
    """A recipe with its rates multiplied.

    Args:
        recipe: the settings of a training.
        factor: above 0.

    Raises:
        OptionError: the rate is found, not given.
    """
    if factor == 1:
        return recipe
    if isinstance(recipe.lr, str):
        raise OptionError("the recipe's rate is found before training, so there is nothing to multiply")
    return recipe.model_copy(update={"lr": recipe.lr * factor, "head_lr": recipe.head_lr * factor})
