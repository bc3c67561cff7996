"""recipes: list, show, copy and check the files of training settings."""

from __future__ import annotations

from pathlib import Path

from headstart.errors import OptionError, StoreError


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
        OptionError: there is no such recipe.
    """
    from headstart.tune.recipes.bundled import find_recipe

    return _read(find_recipe(name)).rstrip("\n")


def copy_recipe(name: str, file: Path | None = None) -> Path:
    """Copy a bundled recipe to a new file; no file is ever overwritten.

    Args:
        name: a bundled name.
        file: where to; None: NAME.yaml here. A folder takes NAME.yaml.

    Returns:
        The new file.

    Raises:
        OptionError: there is no such recipe, or the file exists already.
        StoreError: it cannot be written.
    """
    from headstart.tune.recipes.bundled import bundled_recipe

    recipe = bundled_recipe(name)
    target = Path(f"{name}.yaml") if file is None else Path(file)
    if target.is_dir():
        target = target / f"{name}.yaml"
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


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise OptionError(f"cannot read the recipe {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise OptionError(f"the recipe {path} is not UTF-8 text") from None
