"""Train the network under a policy; the head alone is returned unless training is better beyond chance (do no harm)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.fitting import head_alone
from headstart.fitting.comparing import validation_items, what_to_do
from headstart.fitting.result import Result, source_with
from headstart.fitting.stages import stages_table
from headstart.fitting.workspace import Workspace
from headstart.progress import say

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.heads import Head
    from headstart.tune import Policy, Trained, ValidationItems
    from headstart.tune.race.comparison import Comparison
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
    """Train, and return the trained network if it is better on validation beyond chance, else the head alone.

    If the validation items come from too few groups to compare anything, nothing is trained.

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
    items = validation_items(workspace, choice, validation) if _is_compared(workspace, validation) else None
    trained, found = None, None
    if items is None or not items.too_few_units:
        with workspace.clock.phase("tune"):
            trained = _trained(workspace, choice, train, validation, folder, resume)
        found = None if items is None else _compared(items, trained)
        if found is None or found.better:
            result = with_weights(workspace, trained, choice, train, validation)
            return (
                result if found is None else replace(result, reason=f"{result.reason} {_why_trained(found)}")
            )
    reason = _why_alone(workspace, items, trained, found)
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
        train, len(validation), trained, compared_on=validation, reason=reason,
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


def _is_compared(workspace: Workspace, validation: np.ndarray) -> bool:
    """Whether the training is compared with the head alone: not without validation, nor if the class's own pooling was
    chosen, whose weights are random before training."""
    plan = workspace.plan
    return bool(len(validation)) and not (
        plan.standard_head and plan.policy.cut == len(plan.policy.stages) - 1
    )


def _compared(items: ValidationItems, trained: Trained) -> Comparison:
    """The training against the head alone, all of its epochs counted."""
    logits = trained.validation_logits
    assert logits is not None  # it was trained with validation
    return items.compare(logits, items.bound(list(trained.looks) or [items.look(logits)]))


def _why_trained(found: Comparison) -> str:
    """Why the training is returned, in a sentence."""
    return f"On validation {found.words}; expect less on new items, since the best epoch was chosen there."


def _why_alone(
    workspace: Workspace, items: ValidationItems | None, trained: Trained | None, found: Comparison | None
) -> str:
    """Why the head alone is returned, in a sentence, which is printed too."""
    assert items is not None  # without validation nothing was compared
    if trained is None or found is None or trained.validation is None:
        reason = f"The head alone is returned, and nothing was trained: {items.too_few_units}. {what_to_do(workspace)}"
    else:
        task, alone, own = workspace.targets.task, items.head_alone, trained.validation
        counted = f"of {found.counted}accuracy " if found.counted else ""
        reason = (
            f"'{trained.policy}' reached {own.quality:.3f} {counted}on validation and the head alone "
            f"{alone.quality:.3f} ({task.words.loss} {own.loss:.3g} and {alone.loss:.3g}), its best epoch "
            f"{trained.best_epoch}: {found.words}. The head alone is returned."
        )
    say(reason)
    return reason
