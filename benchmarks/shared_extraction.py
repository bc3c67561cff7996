"""How much faster two processes extract than one; `python -m benchmarks.shared_extraction` prints one JSON line.

A run of torchrun with one process and one with two, each process with one thread and on one core of its own, extract
the same pooled features to an empty store; the seconds are those of the first process, between two meetings of all,
without imports. The items are decoded arrays: of files, a second core would decode for the one process. `--small` takes
few items, to see that it works.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.extraction import random_source
from benchmarks.work import ROOT
from headstart import processes
from headstart.data.preprocessing import ImagePreprocessing
from headstart.data.scanning import scan
from headstart.features import Store, extract_pooled

N_ITEMS, N_SMALL = 512, 32
REPEATS = 3


def extract(folder: Path, n_items: int) -> None:
    """Extract in this process and those it was started with; the first prints the seconds and a checksum."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[processes.number() % len(cores)]})
    items = np.random.default_rng(0).integers(0, 256, (n_items, 224, 224, 3), dtype=np.uint8)
    source = random_source("resnet18", ImagePreprocessing(crop_pct=1.0))
    digests = scan(items, "image", threads=1).digests
    options: dict[str, Any] = {"device": "cpu", "precision": "fp32", "threads": 1, "together": True}
    with processes.together("cpu"):
        extract_pooled(source, items[:8], digests[:8], Store(folder / "warm"), **options)
        processes.wait()
        started = time.perf_counter()
        features = extract_pooled(source, items, digests, Store(folder / "timed"), **options)
        seconds = time.perf_counter() - started
    if processes.is_first():
        print(json.dumps({"seconds": seconds, "sum": features.stage(-1).tobytes().hex()[:64]}))


def launch(n: int, n_items: int) -> dict[str, Any]:
    """One run of n processes."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(n)]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*launcher, "-m", "benchmarks.shared_extraction", "--in", folder, str(n_items)],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def main(*, small: bool) -> dict[str, Any]:
    """The measurement, one and two processes in turn."""
    n_items = N_SMALL if small else N_ITEMS
    runs = [(launch(1, n_items), launch(2, n_items)) for _ in range(1 if small else REPEATS)]
    one, two = (min(side["seconds"] for side in sides) for sides in zip(*runs, strict=True))
    return {
        "work": f"resnet18 (random weights) from {n_items} arrays, fp32",
        "one_process_seconds": round(one, 2),
        "two_process_seconds": round(two, 2),
        "speedup": round(one / two, 2),
        "same_bits": len({side["sum"] for sides in runs for side in sides}) == 1,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in"]:
        extract(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(main(small="--small" in sys.argv[1:])))
