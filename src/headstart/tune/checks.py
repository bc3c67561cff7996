"""Settings of a recipe that do not work with this policy, task or kind of data: all are named at once."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.errors import OptionError
from headstart.tasks import Task
from headstart.tune.feeds.mixing import check_mixing
from headstart.tune.policies.policy import NEEDS_FITTED_HEAD, Policy
from headstart.tune.recipes.recipe import OF_CLASSES, Recipe


def check_recipe(
    recipe: Recipe, policy: Policy, task: Task, modality: str, *, weighted: bool = False
) -> None:
    """Refuse settings that would fail later or have another meaning, before anything long starts.

    Args:
        recipe: the settings.
        policy: what is frozen.
        task: what is learned.
        modality: "image", "text" or "audio".
        weighted: whether items or classes have weights.

    Raises:
        OptionError: naming every mistake and its remedy.
    """
    if not policy.trains_stages:
        return
    faults = [
        *_of_task(recipe, task),
        *_of_choosing(recipe, policy),
        *(_of_weights(recipe) if weighted else ()),
    ]
    if faults:
        raise OptionError("\n".join(faults))
    if policy.cut is not None:
        check_mixing(recipe, modality, policy.cut)
    elif recipe.cutmix or (recipe.mixup and modality == "text"):
        raise OptionError(
            f"'{policy.text}' may train on stored states or on token ids, which cutmix or mixup cannot mix: "
            "set them to 0, or name the policy"
        )


def _of_task(recipe: Recipe, task: Task) -> Iterator[str]:
    if task.has_classes:
        return
    wrong = [name for name in (*OF_CLASSES, "contrastive") if getattr(recipe, name)]
    wrong += ["sampling: balanced"] if recipe.sampling == "balanced" else []
    if wrong:
        yield f"{', '.join(wrong)} of a recipe need classes, and the target is a number: remove them"


def _of_weights(recipe: Recipe) -> Iterator[str]:
    """Settings that would count twice what the weights of items say, or that cannot take them."""
    if recipe.weighs_rare_classes:
        yield (
            "the recipe weighs rare classes (class_weights, sampling or logit_adjustment), and class_weight or weight "
            "does so too: leave out one of them"
        )
    for name in ("mixup", "cutmix"):
        if getattr(recipe, name):
            yield f"class_weight and weight belong to single items, and {name} mixes them: set {name} to 0"
    if recipe.contrastive:
        yield (
            "the contrastive stage compares pairs of items and cannot take class_weight or weight: set contrastive "
            "to 0, or leave the weights out"
        )


def _of_choosing(recipe: Recipe, policy: Policy) -> Iterator[str]:
    """Settings that do not work with the policies that choose for themselves."""
    if policy.cut is not None:
        return
    if not recipe.epochs:
        yield (
            f"'{policy.text}' chooses by training for some epochs, and the recipe has epochs 0: pass --freeze none, "
            "or a recipe with epochs"
        )
    if policy.kind.chooses == "gradients":
        if recipe.head_start == "random":
            yield NEEDS_FITTED_HEAD
        return
    if isinstance(recipe.lr, str):
        yield "the race tries several rates around a given one: remove `lr: auto`, or give a rate with --lr"
    if recipe.contrastive and recipe.epochs:
        yield "the race counts epochs, and the recipe has a contrastive stage before them: set `contrastive: 0`"
    if recipe.steps is not None:
        yield "the race counts epochs, and the recipe gives its length in steps: pass --epochs too"
