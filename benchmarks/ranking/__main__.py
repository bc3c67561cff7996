"""Measure how well scores rank sources, and write the tables of docs/ranking.md.

    python -m benchmarks.ranking [SET ...] [--score NAME ...] [--report]

Sets that were measured before are kept in benchmarks/results/ranking.json; those that are named are measured again.
Without a name every set that is missing is measured, which takes about an hour on one core. `--score` computes only
these scores again, on all sets that were measured or are named: the way to add a score. `--report` measures nothing.
"""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser, Namespace

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.ranking import table
from benchmarks.ranking.measure import measure, score_again
from benchmarks.ranking.report import text
from benchmarks.ranking.sets import SETS, RankingSet
from benchmarks.work import write_between
from headstart.choose.scores import SCORES


def main() -> None:
    """Measure the sets that were named or are missing, then report."""
    asked = ArgumentParser(prog="python -m benchmarks.ranking")
    asked.add_argument("sets", nargs="*")
    asked.add_argument("--score", action="append", default=[], choices=list(SCORES))
    asked.add_argument("--report", action="store_true", help="measure nothing")
    options = asked.parse_args()
    rows = table.load()
    for each in _wanted(options, {row["set"] for row in rows}):
        started = time.perf_counter()
        own = [row for row in rows if row["set"] == each.name]
        found = score_again(each, own, options.score) if options.score else measure(each)
        rows = [row for row in rows if row["set"] != each.name] + found
        table.save(rows)
        print(f"{each.name}: {len(found)} versions, {time.perf_counter() - started:.0f} s", flush=True)
    report = text(rows)
    print(report)
    write_between("ranking", report, "ranking.md")


def _wanted(options: Namespace, there: set[str]) -> list[RankingSet]:
    """Return the sets to measure: those named, or those that are missing; for a score, those that are there."""
    every = [each for sets in SETS.values() for each in sets]
    if options.report:
        return []
    if options.sets:
        return [each for each in every if each.name in options.sets]
    return [each for each in every if (each.name in there) == bool(options.score)]


if __name__ == "__main__":
    main()
