"""What a user should be told of options that do less than they seem to, before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.fitting.options import FitOptions

if TYPE_CHECKING:
    from headstart.tasks import Task
    from headstart.tune import Policy, Recipe

_OF_TRAINING = ("recipe", "epochs", "lr", "batch_size", "views", "compile")


def without_part(config: FitOptions, policy: Policy) -> list[str]:
    """Options that have no part under a policy.

    Args:
        config: the options.
        policy: what is frozen.
    """
    said = []
    given = [f"--{name.replace('_', '-')}" for name in _OF_TRAINING if getattr(config, name)]
    if given and not policy.trains_stages:
        verb = "has" if len(given) == 1 else "have"
        said.append(
            f"{', '.join(given)} {verb} no part under --freeze {policy.text}, which fits the head alone: "
            "say what trains, such as --freeze none"
        )
    if config.budget is not None and policy.text != "auto":
        said.append("--budget has no part: it is of --freeze auto")
    return said


def unopened(policy: Policy, recipe: Recipe) -> list[str]:
    """The stages that `gradual` does not come to within the epochs of a recipe.

    Args:
        policy: what is frozen.
        recipe: of the length.
    """
    if not policy.gradual or recipe.steps is not None:
        return []
    left = policy.stages[policy.resolved_cut : policy.cut_at(recipe.epochs)]
    if not left:
        return []
    named = left[0] if len(left) == 1 else f"{left[0]} to {left[-1]}"
    return [
        f"'{policy.text}' opens one stage an epoch: in {recipe.epochs} epochs {named} stay frozen. "
        f"To open all: --epochs {len(policy.trained)}"
    ]


def without_views(policy: Policy, recipe: Recipe, modality: str) -> list[str]:
    """Augmentation that a recipe asks for and no item will be seen under.

    Args:
        policy: what is frozen.
        recipe: of the augmentation.
        modality: "image", "text" or "audio".
    """
    if modality == "text":
        if (
            recipe.augment == "none"
            and recipe.word_dropout != type(recipe).model_fields["word_dropout"].default
        ):
            return ["word_dropout has no part without augment: light"]
        if recipe.augment != "none" and policy.stores_prefix:
            return [
                "word dropout has no part where a frozen prefix is stored: only --freeze none draws words anew"
            ]
        return []
    asked = {
        "augment: trivial": modality == "image" and recipe.augment == "trivial",
        "spec_augment": modality == "audio" and recipe.spec_augment,
        "speed": modality == "audio" and recipe.speed > 0,
    }
    named = ", ".join(name for name, is_asked in asked.items() if is_asked)
    if not named or not policy.stores_prefix or recipe.views > 1 or recipe.augment == "none":
        return []
    return [
        f"the frozen prefix is stored once an item, so {named} has no part: --views 4 stores augmented views "
        "beside the plain one, --freeze none draws one each epoch"
    ]


def judged_by_class(recipe: Recipe, task: Task) -> list[str]:
    """That classes count the same also in what is chosen, and that the metrics are of the items as they come.

    Args:
        recipe: of the weights.
        task: what is learned.
    """
    if not recipe.weighs_rare_classes:
        return []
    by = task.words.judged
    return [
        "rare classes weigh more in training, so epochs and candidates are compared with every class counting the "
        f"same ({by}); accuracy on the held-out part is still that of the items as they come"
    ]
