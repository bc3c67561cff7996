"""Measure `adapt` on real pairs of domains, and write the tables of docs/adapt_results.md.

    python -m benchmarks.adaptation [WORD ...] [--seeds N] [--report]

What was measured is kept in benchmarks/results/adaptation.json, so the command can be stopped and called again; remove
the file to start over. Words choose the cases whose name holds all of them, which are measured again: "pacs 8:1" for
one. `--seeds` measures the first N seeds only. `--report` measures nothing. Features are kept in the temporary folder,
or in that of HEADSTART_ADAPTATION.
"""

from __future__ import annotations

import json
import os
import time
from argparse import ArgumentParser

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.adaptation.draws import SEEDS, cases
from benchmarks.adaptation.measure import measure
from benchmarks.adaptation.report import Results, text
from benchmarks.work import ROOT, write_between
from headstart.files import write_text

RESULTS = ROOT / "benchmarks" / "results" / "adaptation.json"
PAGE = "adapt_results.md"


def main() -> None:
    """Measure what is named or missing, then report."""
    import torch

    torch.set_num_threads(1)
    asked = ArgumentParser(prog="python -m benchmarks.adaptation")
    asked.add_argument("words", nargs="*")
    asked.add_argument("--seeds", type=int, default=len(SEEDS))
    asked.add_argument("--report", action="store_true", help="measure nothing")
    options = asked.parse_args()
    results: Results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    wanted = [case for case in cases() if case.seed < options.seeds and not options.report]
    wanted = [
        case
        for case in wanted
        if (all(word in case.key for word in options.words) if options.words else case.key not in results)
    ]
    for number, case in enumerate(wanted, 1):
        started = time.perf_counter()
        found = results[case.key] = measure(case)
        write_text(RESULTS, json.dumps(results, indent=1) + "\n")
        gain = 100 * (found["score"] - found["source_only"])
        passed = time.perf_counter() - started
        print(
            f"{number} of {len(wanted)}, {passed:.0f} s: {case.key}: {100 * found['source_only']:.1f}, "
            f"{found['auto']} {gain:+.1f}",
            flush=True,
        )
    report = text(results)
    print(report)
    if (ROOT / "docs" / PAGE).exists() and "<!-- adaptation -->" in (ROOT / "docs" / PAGE).read_text():
        write_between("adaptation", report, PAGE)


if __name__ == "__main__":
    main()
