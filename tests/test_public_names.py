"""`import headstart; headstart.<tab>` shows what a user needs and nothing else, and costs nothing."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

import headstart


def test_all_is_what_is_public() -> None:
    assert headstart.__all__ == sorted(headstart.__all__)
    assert dir(headstart) == headstart.__all__
    for name in headstart.__all__:
        found = getattr(headstart, name)
        assert callable(found) and not isinstance(found, types.ModuleType), name
        assert (found.__doc__ or "").strip(), f"{name} says nothing of itself"


def test_a_name_that_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        headstart.fitt  # noqa: B018


def test_rooms_never_take_the_place_of_verbs() -> None:
    import headstart.report
    from headstart.report import render
    from headstart.verbs.report import report

    assert headstart.report is report
    assert callable(render)


def test_the_import_is_light() -> None:
    code = """
import sys
before = set(sys.modules)
import headstart
loaded = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)
print(sorted(loaded))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['headstart']"


def test_the_import_is_quick() -> None:
    """Processor time, so that a busy machine does not fail it; the best of three."""
    code = "import time; start = time.process_time(); import headstart; print(time.process_time() - start)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for _ in range(3)]
    assert min(float(done.stdout) for done in runs) < 0.3
