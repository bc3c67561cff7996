"""The jobs beside the tests: the lowest versions, and the advisories."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tools.advisories import verdict
from tools.lowest import lowest


def test_every_dependency_declares_its_lowest_version() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    found = lowest(project["dependencies"])
    assert all(one.count("==") == 1 and not set("<>,;") & set(one) for one in found)
    assert "numpy==2.0" in found


def test_an_index_without_advisories_is_not_an_all_clear() -> None:
    absent = {"name": "numpy", "skip_reason": "Dependency not found on PyPI"}
    fine = {"name": "torch", "version": "2.9.0", "vulns": []}
    bad = {**fine, "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.0"]}]}
    for report in (None, {"dependencies": [absent]}):
        assert verdict(report) == ("skipped: the index gives no advisories here", 0)
    assert verdict({"dependencies": [absent, fine]}) == ("1 of 2 packages audited, 0 advisories", 0)
    message, code = verdict({"dependencies": [bad]})
    assert code == 1 and message.startswith("torch 2.9.0: PYSEC-1, fixed in 3.0")
