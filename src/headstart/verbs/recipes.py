"""recipes: list, show, copy and check the files of training settings."""

from __future__ import annotations

from pathlib import Path

from headstart.errors import OptionError, StoreError
from headstart.files import named_path


def recipes() -> str:
    """The bundled recipes, one per line: name and purpose."""
    from headstart.tune.recipes.bundled import bundled_recipes

    found = bundled_recipes()
    width = max(len(recipe.name) for recipe in found)
    lines = [f"{recipe.name:<{width}}  {recipe.purpose}" for recipe in found]
    return "\n".join([*lines, "", "Copy one and change it with: headstart recipes copy NAME"])


def show_recipe(name: str) -> str:
    """The content of a recipe.

    Args:
        name: a bundled name or a path.

    Raises:
        OptionError: there is no such recipe, or it is wrong.
    """
    from headstart.tune.recipes.bundled import find_recipe

    check_recipe(name)
    return find_recipe(name).read_text(encoding="utf-8").rstrip("\n")


def copy_recipe(name: str, file: str | Path | None = None) -> Path:
    """Copy a bundled recipe to a new file; no file is ever overwritten.

    Args:
        name: a bundled name.
        file: where to; None: NAME.yaml here. A folder takes NAME.yaml.

    Returns:
        The new file.

    Raises:
        OptionError: there is no such recipe, the file exists already, or its folder does not exist.
        StoreError: it cannot be written.
    """
    from headstart.tune.recipes.bundled import bundled_recipe

    recipe = bundled_recipe(name)
    target = Path(f"{name}.yaml") if file is None else named_path(file, "the new file")
    if target.is_dir():
        target = target / f"{name}.yaml"
    if not target.absolute().parent.is_dir():
        raise OptionError(f"cannot write {target}: there is no folder {target.parent}; make it first")
    try:
        with target.open("x", encoding="utf-8") as opened:
            opened.write(recipe.text)
    except FileExistsError:
        raise OptionError(
            f"{target} exists already and is not overwritten; name another file: "
            f"headstart recipes copy {name} FILE"
        ) from None
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror}") from None
    return target


def check_recipe(file: str | Path) -> str:
    """Check a recipe, and report all its faults at once.

    Args:
        file: a path or a bundled name.

    Raises:
        OptionError: with every unknown setting and every wrong value.
    """
    from headstart.tune.recipes.bundled import find_recipe
    from headstart.tune.recipes.recipe import Recipe

    path = find_recipe(file)
    for modality in ("image", "text", "audio"):
        Recipe.load(path, modality)
    return f"{path} is a valid recipe"
