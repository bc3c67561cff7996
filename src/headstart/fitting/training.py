"""Train the network under a policy; the head alone is returned if it is better on validation (do no harm)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.fitting import head_alone
from headstart.fitting.result import Result, source_with
from headstart.fitting.stages import stages_table
from headstart.fitting.workspace import Workspace
from headstart.progress import say

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.heads import Head
    from headstart.tune import Policy, Trained
    from headstart.tune.objectives.validation import Score
    from headstart.tune.training.gradient_norms import RGN


def train_or_head_alone(
    workspace: Workspace,
    choice: Choice,
    train: np.ndarray,
    validation: np.ndarray,
    folder: Path | None,
    resume: bool,
    *,
    set_aside: bool,
) -> Result:
    """Train, and return the trained network or the head alone, whichever is better on validation.

    Args:
        workspace: the plan with its features.
        choice: the head alone, fitted on `train`.
        train: positions of the items to learn from.
        validation: positions of the items that both are compared on; empty: the trained network is returned.
        folder: for checkpoints and history.
        resume: resume from checkpoints there.
        set_aside: whether validation was set aside from the training part for this, so that the head alone
            may learn from it in the end; a part that the user gave is never learned from.
    """
    with workspace.clock.phase("tune"):
        trained = _trained(workspace, choice, train, validation, folder, resume)
    alone = _score_alone(workspace, choice, validation)
    if not _is_worse(workspace, trained, alone):
        return with_weights(workspace, trained, choice, train, validation)
    reason = _why_alone(workspace, trained, alone)
    if set_aside:
        train, validation = np.sort(np.concatenate([train, validation])), validation[:0]
        choice = head_alone.choose(workspace, train)
        reason = f"{reason} It was fitted again on all {len(train):,} items."
    source, n_validation = workspace.plan.source, len(validation)
    return Result.head_alone(source, choice, train, reason, n_validation=n_validation, trained=trained)


def with_weights(
    workspace: Workspace, trained: Trained, choice: Choice, train: np.ndarray, validation: np.ndarray
) -> Result:
    """The result of a training.

    Args:
        workspace: the plan with its features.
        trained: the training.
        choice: the head alone, from the same items.
        train, validation: positions of the items learned from and set aside.
    """
    reason = f"Training ended because {trained.stopped_because}"
    reason += f"; the best epoch was {trained.best_epoch}." if trained.recipe.epochs else "."
    if not len(validation):
        reason = f"All {len(train)} labels were used for training: too few to set some aside for validation."
    reason = " ".join([reason, *trained.notes])
    return Result(
        source_with(workspace.plan.source, trained.state_dict), trained.head, trained.policy, trained.cut, choice,
        train, len(validation), trained, reason=reason,
    )  # fmt: skip


def trained_on_all(
    workspace: Workspace, result: Result, everything: np.ndarray, folder: Path, resume: bool
) -> Result:
    """The chosen training again, on all items and for the best number of epochs, with nothing held out.

    Temperature, history and the share of WiSE-FT stay those of the training that was validated; an average of
    several trainings is not made again.

    Args:
        workspace: the plan with its features.
        result: the result of a training.
        everything: positions of all items.
        folder: for checkpoints.
        resume: resume from checkpoints there.
    """
    from headstart.sources.random_weights import with_random_weights
    from headstart.tune import Policy

    first = result.trained
    assert first is not None  # called for trainings only
    recipe = first.recipe
    if recipe.epochs:
        recipe = recipe.model_copy(
            update={"epochs": max(1, first.best_epoch), "steps": None, "wise_ft": False}
        )
    policy = Policy.parse(first.policy, workspace.plan.policy.stages)
    choice = head_alone.choose(workspace, everything)
    source = workspace.plan.source
    probe: Head | None = choice.head
    if source.provenance.pretrained and not result.source.provenance.pretrained:  # from scratch won the race
        source = with_random_weights(source, seed=workspace.plan.seed, arch=workspace.plan.arch)
        probe = None  # it was fitted on the pretrained features
    with workspace.clock.phase("tune"):
        training = workspace.training(
            policy, recipe, everything, everything[:0], folder, probe=probe, source=source
        )
        trained = training.run(resume=resume, share=first.share)
    head = replace(trained.head, temperature=first.head.temperature)
    return replace(result, source=source_with(source, trained.state_dict), head=head, choice=choice)


def _trained(
    workspace: Workspace,
    choice: Choice,
    train: np.ndarray,
    validation: np.ndarray,
    folder: Path | None,
    resume: bool,
) -> Trained:
    """Train under the policy; for `only:auto`, choose the stage first."""
    from headstart.tune.training.gradient_norms import with_stage_chosen

    plan = workspace.plan

    def chosen_by_gradients(policy: Policy) -> RGN:
        any_rate = plan.recipe.model_copy(update={"lr": 1e-4})  # gradients do not depend on it
        measured = workspace.training(
            policy,
            any_rate,
            train,
            validation,
            None,
            probe=choice.head,
            every_token=True,  # for norms of whole tables
        )
        return measured.choose_stage()

    policy, gradients = with_stage_chosen(plan.policy, chosen_by_gradients)
    if policy is not plan.policy:
        say(f"Stages under --freeze {policy.text}:\n{stages_table(plan, policy)}")
    training = workspace.training(policy, plan.recipe, train, validation, folder, probe=choice.head)
    trained = training.run(resume=resume)
    if gradients is None:
        return trained
    return replace(trained, evidence={**trained.evidence, "relative_gradient_norms": gradients.to_json()})


def _score_alone(workspace: Workspace, choice: Choice, validation: np.ndarray) -> Score | None:
    """The score of the head alone on validation; None without validation."""
    from headstart.tune.objectives.validation import score

    if not len(validation):
        return None
    codes, task = workspace.codes[validation], workspace.targets.task
    counts = workspace.validation_weights(validation)
    return score(head_alone.logits(workspace, choice, validation), codes, task, counts)


def _is_worse(workspace: Workspace, trained: Trained, alone: Score | None) -> bool:
    """Whether the head alone is better on validation, or no epoch was better than the start."""
    found, policy = trained.validation, workspace.plan.policy
    if found is None or alone is None:
        return False
    if workspace.plan.standard_head and policy.cut == len(policy.stages) - 1:
        return False  # the class's own pooling was chosen, whose weights are random at the start
    started_best = trained.best_epoch == 0 and not trained.recipe.contrastive
    if started_best:  # the unchanged network, with a head on it
        return found.quality <= alone.quality
    return (found.quality, -found.loss) < (alone.quality, -alone.loss)


def _why_alone(workspace: Workspace, trained: Trained, alone: Score | None) -> str:
    """Why the head alone is returned, in a sentence, which is printed too."""
    found = trained.validation
    assert found is not None and alone is not None  # without validation nothing was compared
    loss = workspace.targets.task.words.loss
    quality = workspace.targets.task.quality_name(balanced=workspace.plan.recipe.weighs_rare_classes)
    balanced = "of balanced accuracy " if quality == "balanced_accuracy" else ""
    reason = (
        f"'{trained.policy}' reached {found.quality:.3f} {balanced}on validation and the head alone "
        f"{alone.quality:.3f} ({loss} {found.loss:.3g} and {alone.loss:.3g}), its best epoch {trained.best_epoch}: "
        "the head alone is returned."
    )
    say(reason)
    return reason
