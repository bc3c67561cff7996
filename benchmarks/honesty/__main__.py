"""Simulate, and write the tables of docs/evidence.md: `python -m benchmarks.honesty [PART ...] [--small]`.

Each part is a module of this folder with

    cells() -> list of dictionaries, one per cell of the table: what is simulated
    simulate(cell, n) -> dictionary of n simulations of the cell: what was found
    table(rows) -> Markdown of the rows, each a cell together with what was found

Cells are spread over the cores of this process. `--small` makes 50 simulations per cell and writes nothing, `--n 400`
makes 400; the table says how many. Shares of 2,000 have a standard error of 0.5 points at 95% and at 5%.
"""

from __future__ import annotations

import importlib
import json
import os
import time
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from benchmarks.work import ROOT, write_between
from headstart.files import write_text

N_SIMULATIONS, N_SMALL = 2_000, 50
PARTS = (
    "intervals",
    "verdict",
    "calibration",
    "labels",
    "stages",
    "ranking",
    "folds",
    "shift",
    "baselines",
    "chosen",
    "guard",
    "threshold",
    "probabilities",
    "embeddings",
    "race",
    "gains",
    "seen",
    "evaluate",
    "calibrate",
)


def main() -> None:
    """Run the parts that were named, or all."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # each process has one core
    asked = ArgumentParser(prog="python -m benchmarks.honesty")
    asked.add_argument("parts", nargs="*", default=PARTS)
    asked.add_argument("--small", action="store_true")
    asked.add_argument("--n", type=int, default=N_SIMULATIONS)
    options = asked.parse_args()
    for part in options.parts:
        module = importlib.import_module(f"benchmarks.honesty.{part}")
        started = time.perf_counter()
        n = N_SMALL if options.small else options.n
        rows = _simulated(part, module.cells(), n)
        text = f"{_how_many(part, n)}{module.table(rows)}"
        print(f"{text}\n\n{part}: {time.perf_counter() - started:.0f} s", flush=True)
        if not options.small:
            results = ROOT / "benchmarks" / "results" / f"honesty-{part}.json"
            write_text(results, json.dumps(rows, indent=1) + "\n")
            write_between(f"honesty-{part}", text, "evidence.md")


def _how_many(part: str, n: int) -> str:
    return "" if part == "labels" else f"{n:,} simulations per cell.\n\n"


def _simulated(part: str, cells: list[dict[str, Any]], n: int) -> list[dict[str, Any]]:
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = pool.map(_cell, [part] * len(cells), cells, [n] * len(cells))
        return [{**cell, **result} for cell, result in zip(cells, found, strict=True)]


def _cell(part: str, cell: dict[str, Any], n: int) -> dict[str, Any]:
    found: dict[str, Any] = importlib.import_module(f"benchmarks.honesty.{part}").simulate(cell, n)
    return found


if __name__ == "__main__":
    main()
