"""Audit planted cases, and write the tables of the docs: `python -m benchmarks.plants [WORD ...] [--report] [--small]`.

Each case is a real audit through `headstart.audit`. What was measured is kept in benchmarks/results/plants.json, so the
command can be stopped and called again; remove the file to start over. Words choose the worlds whose name holds one of
them. `--report` measures nothing. `--small` audits two cases with few seeds, to see that everything runs, and writes
nothing. Data, sources and features are written to the temporary folder, or to that of HEADSTART_PLANTS.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # each process has one core

from benchmarks.plants.measure import TRUTH, measure
from benchmarks.plants.report import Results, text
from benchmarks.plants.worlds import WORLDS, World
from benchmarks.work import ROOT, write_between
from headstart.files import write_text

RESULTS = ROOT / "benchmarks" / "results" / "plants.json"
SMALL = ("letters/shuffled on digits", "letters/real on digits")
Work = tuple[World, str]


def main() -> None:
    """Measure what is missing, then report."""
    asked = ArgumentParser(prog="python -m benchmarks.plants")
    asked.add_argument("words", nargs="*")
    asked.add_argument("--report", action="store_true", help="measure nothing")
    asked.add_argument("--small", action="store_true", help="two cases, nothing is written")
    asked.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    options = asked.parse_args()
    results: Results = json.loads(RESULTS.read_text()) if RESULTS.exists() and not options.small else {}
    worlds = [world for world in WORLDS if not options.words or any(w in world.name for w in options.words)]
    if options.small:
        worlds = [world for world in WORLDS if world.name in SMALL]
    wanted = [] if options.report else [work for work in order(worlds) if work[1] not in _of(results, work)]
    if options.small:
        wanted = [work for work in wanted if work[1] == "0"]
    _measure_all(wanted, results, options.processes, small=options.small)
    if options.small:
        return
    print(found := text(results))
    write_between("plants", found, _page())


def _page() -> str:
    """The page of the docs with the marks of the plants."""
    pages = (path for path in sorted((ROOT / "docs").glob("*.md")) if "<!-- plants -->" in path.read_text())
    return next(pages).name


def order(worlds: Sequence[World]) -> list[Work]:
    """The truth and the first case of every world, then the second cases, and so on: what is done early says most."""
    found: list[Work] = []
    for number in range(max((world.n_slices for world in worlds), default=0)):
        for world in worlds:
            found += [(world, TRUTH)] if number == 0 else []
            found += [(world, str(number))] if number < world.n_slices else []
    return found


def _of(results: Results, work: Work) -> dict[str, dict[str, Any]]:
    return results.get(work[0].name, {})


def _measure_all(wanted: Sequence[Work], results: Results, n_processes: int, *, small: bool) -> None:
    if not wanted:
        return
    root = Path(os.environ.get("HEADSTART_PLANTS", Path(tempfile.gettempdir()) / "headstart-plants"))
    started, n_failed = time.perf_counter(), 0
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(n_processes, len(wanted)), mp_context=spawn) as pool:
        futures = {pool.submit(measure, *work, root, small=small): work for work in wanted}
        for number, future in enumerate(as_completed(futures), 1):
            world, what = futures[future]
            passed = time.perf_counter() - started
            place = f"{number} of {len(wanted)}, {passed:.0f} s: {world.name}, {what}"
            try:
                found = future.result()
            except Exception as error:  # one case that fails must not end the others
                n_failed += 1
                print(f"{place}: failed: {type(error).__name__}: {error}", flush=True)
                continue
            results.setdefault(world.name, {})[what] = found
            outcomes = [each["outcome"] for each in found.get("sizes", {}).values()]
            print(f"{place}: {' '.join(outcomes)}", flush=True)
            if not small:
                write_text(RESULTS, json.dumps(results, indent=1) + "\n")
    if n_failed:
        print(f"{n_failed} failed; call the command again to try them once more", flush=True)


if __name__ == "__main__":
    main()
