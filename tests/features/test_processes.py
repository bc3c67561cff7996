"""Real processes on one store: killed at random moments, two at once, and how their memory grows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WORKER = Path(__file__).parent / "worker.py"


def run_worker(*arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, str(WORKER), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("n_kills", [10, pytest.param(20, marks=pytest.mark.full)])
def test_killed_at_random_moments_ends_with_the_same_bytes(n_kills: int, tmp_path: Path) -> None:
    word, n_unfinished = run_worker("kill", tmp_path, n_kills).split(" ", 1)
    assert word == "same", n_unfinished
    assert int(n_unfinished) >= n_kills / 2  # most were really killed in the middle


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_processes_at_once_do_not_harm_each_other(tmp_path: Path) -> None:
    assert run_worker("together", tmp_path / "shared") == "same"


def test_memory_is_flat_from_1_000_to_50_000_items(tmp_path: Path) -> None:
    n_items = 50_000
    n_bytes = int(run_worker("memory", tmp_path, n_items))
    n_stored = n_items * 1040 * 4
    # what grows is the list of items: some hundred bytes each
    assert n_bytes < 80_000_000, f"{n_bytes:,} more at the peak; {n_stored:,} were stored"
