"""CONTRIBUTING.md names files that are there and every suite."""

from __future__ import annotations

import re
from pathlib import Path

import headstart.testing

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
HOW_TO = TEXT.split("\n## How to add ")[1:]


def test_the_files_that_it_names_are_there() -> None:
    named = set(re.findall(r"`((?:src|docs|tests)/[\w./]+\.\w+)`", TEXT))
    missing = [name for name in named if "NAME" not in name and not (ROOT / name).is_file()]
    assert len(named) > 20 and missing == []


def test_it_says_how_to_add_each_kind_and_names_its_suite() -> None:
    titles = [part.splitlines()[0] for part in HOW_TO]
    assert titles == [
        "a backbone",
        "a data layout",
        "a metric",
        "a head",
        "a transferability score",
        "an adaptation method",
        "a freeze policy",
        "an objective",
        "a verb with its own report page",
    ]
    named = set(re.findall(r"check_\w+", TEXT))
    assert set(headstart.testing.__all__) <= named
