"""Print the lowest version of every dependency that pyproject.toml declares, as constraints for pip."""

from __future__ import annotations

import tomllib
from pathlib import Path


def lowest(declared: list[str]) -> list[str]:
    """Return `name==version` for each `name>=version`."""
    return [requirement.replace(">=", "==") for requirement in declared]


if __name__ == "__main__":
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    print("\n".join(lowest(project["dependencies"])))
