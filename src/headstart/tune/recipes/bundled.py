"""The recipes that come with headstart: small YAML files to read, copy and change.

The first line of each is a comment with the command that runs it; the second says what it is for and what its
source is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headstart.errors import OptionError, did_you_mean, shortened
from headstart.files import named_path

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Bundled:
    """A recipe that comes with headstart.

    Attributes:
        name: what `--recipe` takes.
        path: its file.
        command: the command that runs it.
        purpose: what it is for, and its source.
    """

    name: str
    path: Path
    command: str
    purpose: str

    @property
    def text(self) -> str:
        """The file's content."""
        return self.path.read_text(encoding="utf-8")


def bundled_recipes() -> tuple[Bundled, ...]:
    """All recipes that come with headstart, by name."""
    found = []
    for path in sorted(_FOLDER.glob("*.yaml")):
        command, purpose = path.read_text(encoding="utf-8").splitlines()[:2]
        found.append(Bundled(path.stem, path, command.removeprefix("# "), purpose.removeprefix("# ")))
    return tuple(found)


def bundled_recipe(name: str) -> Bundled:
    """The bundled recipe of a name.

    Raises:
        OptionError: there is no recipe of that name.
    """
    recipes = {recipe.name: recipe for recipe in bundled_recipes()}
    if name not in recipes:
        raise OptionError(
            f"there is no recipe '{shortened(name)}'; there are {', '.join(recipes)}, or give the path of a YAML file."
            f"{did_you_mean(name, recipes)}"
        )
    return recipes[name]


def find_recipe(name_or_path: str | Path) -> Path:
    """The file of a recipe: a bundled name, else a path.

    A path has a folder or an ending, so a typo in a name is not reported as a missing file.

    Raises:
        OptionError: it is neither a bundled name nor a file.
    """
    text, path = str(name_or_path), named_path(name_or_path, "the recipe")
    if path.name != text or path.suffix in (".yaml", ".yml"):
        return path
    if path.is_file() and text not in {recipe.name for recipe in bundled_recipes()}:
        return path
    return bundled_recipe(text).path
