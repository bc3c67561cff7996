"""The names of tasks are written in `headstart.tasks`, the catalogue of metrics and the declaration of --task alone."""

from __future__ import annotations

import re
from pathlib import Path

import headstart
from headstart.tasks import TASKS

OWNERS = (
    "tasks",
    "metrics/catalogue.py",
    "fitting/shared_options.py",
    "testing",
)  # the suites name them in their examples


def test_nothing_else_compares_the_names_of_tasks() -> None:
    root = Path(headstart.__file__).parent
    quoted = re.compile(rf"""(["'])({"|".join(TASKS)})\1""")
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for path in sorted([*root.rglob("*.py"), *root.rglob("*.j2")])
        if not str(path.relative_to(root)).startswith(OWNERS)
        for line in path.read_text(encoding="utf-8").splitlines()
        if quoted.search(line)
    ]
    assert found == []
