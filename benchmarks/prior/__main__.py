"""Measure, and write the section Prior of docs/ranking.md: `python -m benchmarks.prior [--seeds 20] [--report]`.

It reads what `python -m benchmarks.ranking` measured and the published tables of `golden` in the shared folder, and
takes some minutes. `--report` measures nothing,
fewer than 20 seeds write nothing.
"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser

from benchmarks.prior import own
from benchmarks.prior.measure import N_SEEDS, measure, upstream_correlations
from benchmarks.prior.report import text
from benchmarks.prior.tables import published, stated
from benchmarks.work import ROOT, write_between
from headstart.files import write_text

RESULTS = ROOT / "benchmarks" / "results" / "prior.json"


def main() -> None:
    """Measure every table, then report."""
    asked = ArgumentParser(prog="python -m benchmarks.prior")
    asked.add_argument("--seeds", type=int, default=N_SEEDS)
    asked.add_argument("--report", action="store_true", help="measure nothing")
    options = asked.parse_args()
    rows = []
    for table in [] if options.report else published():
        started = time.perf_counter()
        rows += measure(table, options.seeds)
        print(f"{table.name}: {time.perf_counter() - started:.0f} s", flush=True)
    if options.report:
        rows = json.loads(RESULTS.read_text())
    elif options.seeds >= N_SEEDS:
        rounded = [
            {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}
            for row in rows
        ]
        lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rounded)
        write_text(RESULTS, f"[\n{lines}\n]\n")
    report = text(rows, {table.name: upstream_correlations(table) for table in stated()})
    report = f"{own.text()}\n\n{report}"
    print(report)
    if options.report or options.seeds >= N_SEEDS:
        write_between("prior", report, "ranking.md")


if __name__ == "__main__":
    main()
