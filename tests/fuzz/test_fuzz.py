"""Damaged input of every kind is read or refused: some seconds, the same trials every time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="trials run in forked processes, whose memory is read from /proc"
)
TESTS = Path(__file__).resolve().parent.parent


def test_damaged_input_is_read_or_refused() -> None:
    path = os.pathsep.join([str(TESTS), *filter(None, sys.path)])
    ended = subprocess.run(
        [sys.executable, "-m", "fuzz", "--quick"], env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-3000:]


def test_a_fault_is_found(tmp_path: Path) -> None:
    """The harness reports an exception, a crash, a hang, too much memory and a wrong value."""
    script = tmp_path / "faults.py"
    script.write_text(_FAULTS)
    path = os.pathsep.join([str(TESTS), *filter(None, sys.path)])
    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "work")], env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]
    for what in ("KeyError", "ended with -11", "seconds", "MB", "AssertionError"):
        assert what in ended.stdout, ended.stdout
    assert "fine" not in ended.stdout


_FAULTS = """
import os, signal, sys, time
from pathlib import Path
from fuzz import trials
from fuzz.readers import Reader
from headstart.errors import DataError

def refuse(place): raise DataError("fine")
def memory(place): b"x" * (3 * 2**29)
def wrong(place): assert place.read_bytes() == b"as it was", "a wrong value"
def crash(place): os.kill(os.getpid(), signal.SIGSEGV)
def hang(place): time.sleep(60)
def fault(place): {}["x"]

root = Path(sys.argv[1])
root.mkdir()
valid = root / "file.bin"
valid.write_bytes(b"as it was")
for read in (refuse, memory, wrong, crash, hang, fault):
    trials.MOST_SECONDS = 2.0 if read is hang else 60.0
    reader = Reader(read.__name__, lambda folder: valid, read)
    found = trials.run_trials(reader, valid, root / "scratch", iter(range(2)))
    assert sum(found.counts.values()) == 2
    assert read is not memory or found.counts["fault"] == 2, "the peak of the first hides the second"
    print(read.__name__, *found.faults)
"""
