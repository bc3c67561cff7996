"""`--freeze auto`: enter the race with what the depth profile suggests, and bring its result home."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.errors import OptionError
from headstart.fitting.plan import recipe_of
from headstart.progress import say

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.fitting.learner import Learner
    from headstart.fitting.result import Learned
    from headstart.sources import Source
    from headstart.tune import Candidate, Recipe, Training


def learn_auto(
    learner: Learner,
    choice: Choice,
    train: np.ndarray,
    validation: np.ndarray,
    folder: Path | None,
    resume: bool,
) -> Learned:
    """Race within the budget; the head alone, or the winner trained on all items, comes back.

    Args:
        learner: data, features and options.
        choice: the head alone, fitted on `train`.
        train: positions of the items to learn from.
        validation: positions of the items that candidates are compared on.
        folder: for the study and checkpoints.
        resume: whether to take up what the folder holds.
    """
    from headstart.fitting.result import Learned
    from headstart.fitting.training import with_weights
    from headstart.tune import Race, ValidationItems, from_scratch, suggest_candidates
    from headstart.tune.loop.identity import identity_of

    job, config = learner.job, learner.config
    stages, units = job.policy.stages, job.units
    everything = np.sort(np.concatenate([train, validation]))
    nothing = validation[:0]
    made = _Builder(learner, choice)
    race = Race(
        lambda candidate, place: made.training(candidate, train, validation, place),
        ValidationItems(
            learner.logits_alone(choice, validation),
            learner.codes[validation],
            None if units is None else units[validation],
            job.examples.task,
            learner.validation_counts(validation),
        ),
        budget_seconds=config.budget_seconds or 0.0,
        again=None
        if job.recipe.wise_ft  # which interpolates by validation, of which that training has none
        else lambda candidate, place: made.training(candidate, everything, nothing, place),
        growth=len(everything) / max(1, len(train)),
        grouped=job.examples.groups is not None,  # repeated items are bound too, and are no groups
        pass_seconds=_pass_seconds(learner) * len(train),
        folder=folder,
        resume=resume,
        seed=config.seed,
        identity=identity_of(
            job.source,
            job.policy,
            job.recipe,
            learner.setting,
            seed=config.seed,
            classes=learner.classes,
            train=learner.part(train),
            validation=learner.part(validation),
        ),
    )
    found = race.run(suggest_candidates([row.score for row in choice.profile], stages), from_scratch(stages))
    say(found.reason)
    if found.trained is None:
        refitted = learner.choose(everything)
        return Learned.head_alone(job.source, refitted, len(everything), found.reason, auto=found)
    chosen = next(candidate for candidate in found.candidates if candidate.chosen)
    parts = (everything, nothing) if found.refitted else (train, validation)
    learned = with_weights(learner, found.trained, choice, *parts)
    if chosen.from_scratch:
        learned = replace(learned, source=replace(learned.source, provenance=made.fresh().provenance))
    return replace(learned, auto=found, reason=". ".join([found.reason, *found.trained.notes]))


def _pass_seconds(learner: Learner) -> float:
    """Seconds of a forward pass of an item: as the features took them, unless those came from the store."""
    from headstart.fitting.dry_run import timed_item

    taken = learner.clock.seconds.get("features", 0.0) / len(learner.job.examples)
    timed, _ = timed_item(learner.job, learner.setting)
    return taken if taken > timed / 4 else timed


def scratch_outputs(learner: Learner, learned: Learned, positions: np.ndarray) -> np.ndarray | None:
    """What the network from weights of chance says of items, of shape (n_items, C); None where none was trained.

    Args:
        learner: data and options.
        learned: the result of a race, or of anything else.
        positions: of the items.
    """
    from headstart.fitting.result import source_with

    if learned.auto is None or learned.auto.from_scratch is None:
        return None
    trained = learned.auto.from_scratch
    features = learner._extract(source_with(learner.job.source, trained.state_dict), positions)
    return trained.head.outputs(features.stacked(trained.head.stages))


class _Builder:
    """Builds the trainings of a race; the network of chance is made once."""

    def __init__(self, learner: Learner, choice: Choice) -> None:
        self.learner, self.choice = learner, choice
        self._fresh: Source | None = None

    def fresh(self) -> Source:
        """The source with weights of chance."""
        from headstart.sources.random_weights import with_random_weights

        if self._fresh is None:
            config = self.learner.config
            self._fresh = with_random_weights(self.learner.job.source, seed=config.seed, arch=config.arch)
        return self._fresh

    def training(
        self, candidate: Candidate, train: np.ndarray, validation: np.ndarray, folder: Path
    ) -> Training:
        """The training of a candidate."""
        learner = self.learner
        recipe = recipe_of(learner.config, learner.job.source.modality, candidate.policy)
        return learner.training(
            candidate.policy,
            _at_rate(recipe, candidate.rate_factor),
            train,
            validation,
            folder,
            probe=None if candidate.from_scratch else self.choice.head,
            source=self.fresh() if candidate.from_scratch else None,
        )


def _at_rate(recipe: Recipe, factor: float) -> Recipe:
    """A recipe with its rates multiplied.

    Raises:
        OptionError: the rate is found, not given.
    """
    if factor == 1:
        return recipe
    if isinstance(recipe.lr, str):
        raise OptionError("the recipe's rate is found before training, so there is nothing to multiply")
    return recipe.model_copy(update={"lr": recipe.lr * factor, "head_lr": recipe.head_lr * factor})
