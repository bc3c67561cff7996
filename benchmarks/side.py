"""One side of a comparison: a process of its own, what it printed, its seconds and its peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.work import ROOT


def run_side(module: str, *arguments: object, python: Path | None = None) -> dict[str, Any]:
    """Run `python -m MODULE ARGUMENTS` and give what its last line of JSON holds.

    `process` is added, the seconds of the whole process, and `peak_bytes`, the largest memory of it or of one
    of its children.

    Args:
        module: of the benchmarks.
        arguments: of its command line.
        python: the environment it runs in; None: this one.
    """
    command = [str(python or sys.executable), "-m", module, *map(str, arguments)]
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as talk:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=talk, text=True)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        out.seek(0)
        talk.seek(0)
        printed = out.read()
        if process.returncode:
            told = (printed + talk.read())[-3000:]
            raise SystemExit(f"{module} {' '.join(map(str, arguments))} failed:\n{told}")
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        **json.loads(printed.strip().splitlines()[-1]),
        "process": seconds,
        "peak_bytes": used.ru_maxrss * unit,
    }
