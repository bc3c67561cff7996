"""The commands below `headstart recipes`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from headstart.progress import say

_HELP = "List the recipes, small YAML files of training settings, or show, copy and check one."

recipes = typer.Typer(help=_HELP, no_args_is_help=False)


@recipes.callback()
def list_recipes(context: typer.Context) -> None:
    """List the recipes, small YAML files of training settings, or show, copy and check one.

    Without a command: list them.
    """
    if context.invoked_subcommand is None:
        print_list()


@recipes.command("list")
def print_list() -> None:
    """List the recipes: name and purpose."""
    from headstart.verbs.recipes import recipes as recipes_verb

    print(recipes_verb())


@recipes.command("show")
def show(name: Annotated[str, typer.Argument(help="A name from the list, or a YAML file.")]) -> None:
    """Print a recipe."""
    from headstart.verbs.recipes import show_recipe

    print(show_recipe(name))


@recipes.command("copy")
def copy(
    name: Annotated[str, typer.Argument(help="A name from the list.")],
    file: Annotated[
        Path | None, typer.Argument(help="The new file, never overwritten. [default: NAME.yaml here]")
    ] = None,
) -> None:
    """Copy a recipe to a file of your own."""
    from headstart.tune.recipes.bundled import bundled_recipe
    from headstart.verbs.recipes import copy_recipe

    copied = copy_recipe(name, file)
    command = bundled_recipe(name).command  # with the policy that the recipe is for
    say(f"Run it with: {command.removesuffix(name)}{shlex.quote(str(copied))}")
    print(copied)


@recipes.command("check")
def check(file: Annotated[str, typer.Argument(help="A YAML file, or a name from the list.")]) -> None:
    """Check a recipe, and report all its faults at once."""
    from headstart.verbs.recipes import check_recipe

    print(check_recipe(file))
