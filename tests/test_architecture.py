"""The structure that docs/architecture.md describes: no circle, every package named and layered, short files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "headstart"
MOST_LINES = 300


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """Module to the modules it imports: inside functions and under TYPE_CHECKING too."""
    graph = grimp.build_graph("headstart", cache_dir=None)
    return {name: set(graph.find_modules_directly_imported_by(name)) for name in graph.modules}


def circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other in a circle (Tarjan's strongly connected components)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        stack.append(name)
        for other in sorted(imports[name]):
            if other not in order:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in stack:
                lowest[name] = min(lowest[name], order[other])
        if lowest[name] == order[name]:
            at = stack.index(name)
            group = sorted(stack[at:])
            del stack[at:]
            if len(group) > 1:
                found.append(group)

    for name in sorted(imports):
        if name not in order:
            visit(name)
    return found


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == [["b", "c"]]


def test_no_module_imports_itself_through_others(imports: dict[str, set[str]]) -> None:
    assert circles(imports) == []


def test_every_package_has_a_layer_and_a_line_in_the_docs() -> None:
    there = {path.stem for path in SOURCE.glob("*.py")} | {
        path.parent.name for path in SOURCE.glob("*/__init__.py")
    }
    there -= {"__init__", "__main__"}
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layered = set(re.findall(r"\w+", " ".join(contracts[0]["layers"])))
    assert layered == there
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`(\w+)`", page))
    assert there <= named, there - named


def test_files_are_short() -> None:
    """A longer file says why in a comment that begins with "# Long:"."""
    long = {
        str(path.relative_to(SOURCE)): len(lines)
        for path in SOURCE.rglob("*.py")
        if len(lines := path.read_text(encoding="utf-8").splitlines()) > MOST_LINES
        and not any(line.startswith("# Long:") for line in lines)
    }
    assert long == {}
