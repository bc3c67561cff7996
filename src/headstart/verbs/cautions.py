"""What a user should be told of options that do less than they seem to, before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.verbs.config import FitConfig

if TYPE_CHECKING:
    from headstart.tune import Policy, Recipe

_OF_TRAINING = ("recipe", "epochs", "lr", "batch_size", "views", "compile")


def without_part(config: FitConfig, policy: Policy) -> list[str]:
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
