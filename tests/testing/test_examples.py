"""The examples in the docstrings of headstart.testing run, and the package is loaded only when it is asked for."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys

import pytest

import headstart.testing


@pytest.mark.parametrize("name", ["backbone", "head", "layout", "metric", "objective", "policy"])
def test_the_example_of_each_suite_runs(name: str) -> None:
    module = importlib.import_module(f"headstart.testing.{name}")
    found = doctest.testmod(module)
    assert found.attempted > 0 and found.failed == 0


def test_every_suite_is_public() -> None:
    names = headstart.testing.__all__
    assert names == sorted(names)
    assert {
        f"check_{name}" for name in ("backbone", "head", "layout", "metric", "objective", "policy")
    } <= set(names)
    assert all((getattr(headstart.testing, name).__doc__ or "").strip() for name in names)


def test_headstart_does_not_load_it() -> None:
    code = (
        "import headstart, sys; print([name for name in sys.modules if 'testing' in name or name == 'torch'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
