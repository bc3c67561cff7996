"""Train the network under a policy, and return the result only where validation is for it (do no harm)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.fitting.result import Learned, source_with
from headstart.fitting.stages import stages_table
from headstart.progress import say

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.fitting.learner import Learner
    from headstart.heads import Head
    from headstart.tune import Policy, Trained
    from headstart.tune.loop.gradient_norms import RGN
    from headstart.tune.training.result import Score


def learn_trained(
    learner: Learner,
    choice: Choice,
    train: np.ndarray,
    validation: np.ndarray,
    folder: Path | None,
    resume: bool,
    *,
    set_aside: bool,
) -> Learned:
    """Train, and take the result or the head alone.

    Args:
        learner: data, features and options.
        choice: the head alone, fitted on `train`.
        train: positions of the items to learn from.
        validation: positions of the items that both are compared on; empty: the training is taken.
        folder: for checkpoints and history.
        resume: go on from checkpoints there.
        set_aside: whether validation was set aside from the training part for this, so that the head alone may
            learn from it in the end; a part that was given is not learned from.
    """
    with learner.clock.phase("tune"):
        trained = _trained(learner, choice, train, validation, folder, resume)
    alone = _score_alone(learner, choice, validation)
    if not _is_worse(learner, trained, alone):
        return with_weights(learner, trained, choice, train, validation)
    reason = _why_alone(learner, trained, alone)
    if set_aside:
        train, validation = np.sort(np.concatenate([train, validation])), validation[:0]
        choice = learner.choose(train)
        reason = f"{reason} It was fitted again on all {len(train):,} items."
    source, n_validation = learner.job.source, len(validation)
    return Learned.head_alone(source, choice, len(train), reason, n_validation=n_validation, trained=trained)


def with_weights(
    learner: Learner, trained: Trained, choice: Choice, train: np.ndarray, validation: np.ndarray
) -> Learned:
    """What was trained, as the result.

    Args:
        learner: data, features and options.
        trained: the training.
        choice: the head alone.
        train, validation: positions of the items learned from and set aside.
    """
    reason = f"Training ended because {trained.stopped_because}"
    reason += f"; the best epoch was {trained.best_epoch}." if trained.recipe.epochs else "."
    if not len(validation):
        reason = f"All {len(train)} labels were learned from: too few to set some aside and choose by them."
    reason = " ".join([reason, *trained.notes])
    return Learned(
        source_with(learner.job.source, trained.state_dict), trained.head, trained.policy, trained.cut, choice,
        len(train), len(validation), trained, reason=reason,
    )  # fmt: skip


def trained_on_all(
    learner: Learner, learned: Learned, everything: np.ndarray, folder: Path, resume: bool
) -> Learned:
    """The chosen training once more on all items, for as many epochs as were best, nothing held out.

    Temperature and history stay those of the training that was validated, and so does the share of WiSE-FT; an
    average of several trainings is not made again.

    Args:
        learner: data, features and options.
        learned: the result of a training.
        everything: positions of all items.
        folder: for checkpoints.
        resume: go on from checkpoints there.
    """
    from headstart.sources.random_weights import with_random_weights
    from headstart.tune import Policy

    first = learned.trained
    assert first is not None  # asked of trainings alone
    recipe = first.recipe
    if recipe.epochs:
        recipe = recipe.model_copy(
            update={"epochs": max(1, first.best_epoch), "steps": None, "wise_ft": False}
        )
    policy = Policy.parse(first.policy, learner.job.policy.stages)
    choice = learner.choose(everything)
    source = learner.job.source
    probe: Head | None = choice.head
    if source.provenance.pretrained and not learned.source.provenance.pretrained:  # scratch won the race
        source = with_random_weights(source, seed=learner.config.seed, arch=learner.config.arch)
        probe = None  # it knows the pretrained features, and not these
    with learner.clock.phase("tune"):
        training = learner.training(
            policy, recipe, everything, everything[:0], folder, probe=probe, source=source
        )
        trained = training.run(resume=resume, share=first.share)
    head = replace(trained.head, temperature=first.head.temperature)
    return replace(learned, source=source_with(source, trained.state_dict), head=head, choice=choice)


def _trained(
    learner: Learner,
    choice: Choice,
    train: np.ndarray,
    validation: np.ndarray,
    folder: Path | None,
    resume: bool,
) -> Trained:
    """Train under the policy, its stage chosen first where it is `only:auto`."""
    from headstart.tune.loop.gradient_norms import with_stage_chosen

    job = learner.job

    def chosen_by_gradients(policy: Policy) -> RGN:
        any_rate = job.recipe.model_copy(update={"lr": 1e-4})  # gradients do not depend on it
        measured = learner.training(
            policy,
            any_rate,
            train,
            validation,
            None,
            probe=choice.head,
            every_token=True,  # for norms of whole tables
        )
        return measured.choose_stage()

    policy, gradients = with_stage_chosen(job.policy, chosen_by_gradients)
    if policy is not job.policy:
        say(f"Stages under --freeze {policy.text}:\n{stages_table(job, policy)}")
    training = learner.training(policy, job.recipe, train, validation, folder, probe=choice.head)
    trained = training.run(resume=resume)
    if gradients is None:
        return trained
    return replace(trained, evidence={**trained.evidence, "relative_gradient_norms": gradients.to_json()})


def _score_alone(learner: Learner, choice: Choice, validation: np.ndarray) -> Score | None:
    """The score of the head alone on validation, where there is one."""
    from headstart.tune.training.result import score

    if not len(validation):
        return None
    codes, task = learner.codes[validation], learner.targets.task
    counts = learner.validation_counts(validation)
    return score(learner.logits_alone(choice, validation), codes, task, counts)


def _is_worse(learner: Learner, trained: Trained, alone: Score | None) -> bool:
    """Whether the head alone is better on validation than what was trained, or no epoch was better than the start."""
    found, policy = trained.validation, learner.job.policy
    if found is None or alone is None:
        return False
    if learner.config.head == "standard" and policy.cut == len(policy.stages) - 1:
        return False  # the class's own pooling was asked for; without training it means nothing
    if (
        trained.best_epoch == 0 and not trained.recipe.contrastive
    ):  # the network as it came, with a head on it
        return found.quality <= alone.quality
    return (found.quality, -found.loss) < (alone.quality, -alone.loss)


def _why_alone(learner: Learner, trained: Trained, alone: Score | None) -> str:
    """The comparison that the head alone has won, in a sentence; it is said too."""
    found = trained.validation
    assert found is not None and alone is not None  # else nothing was compared
    loss = learner.targets.task.words.loss
    quality = learner.targets.task.quality_name(balanced=learner.job.recipe.weighs_rare_classes)
    balanced = "of balanced accuracy " if quality == "balanced_accuracy" else ""
    reason = (
        f"'{trained.policy}' reached {found.quality:.3f} {balanced}on validation and the head alone "
        f"{alone.quality:.3f} ({loss} {found.loss:.3g} and {alone.loss:.3g}), its best epoch {trained.best_epoch}: "
        "the head alone is returned."
    )
    say(reason)
    return reason
