"""A run that is ended at any rename, flush or removal is whole afterwards, and ends as one that nobody ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SERVER = Path(__file__).parent / "server.py"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def found_by(folder: Path, *tasks: str) -> dict[str, Any]:
    path = os.pathsep.join([str(SERVER.parent.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(SERVER), str(folder), *tasks],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": path,
            "HEADSTART_CACHE": str(folder / "cache"),
        },
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    for task, result in found.items():
        assert result["faults"] == [], task
    return found


def test_evenly_spread_calls(tmp_path: Path) -> None:
    found = found_by(tmp_path, "fit:2", "audit:1", "adapt:1", "predict:1", "full:1", "lost:1")
    assert [found[task]["ended"] for task in ("fit", "audit", "adapt", "predict", "full")] == [2, 1, 1, 1, 1]


@pytest.mark.full
def test_every_call(tmp_path: Path) -> None:
    found = found_by(tmp_path, "fit:0", "audit:0", "adapt:0", "predict:0", "full:0", "lost:0")
    for task in ("fit", "audit", "adapt", "predict"):
        assert found[task]["ended"] == sum(found[task]["calls"].values())
