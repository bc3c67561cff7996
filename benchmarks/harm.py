"""What trained policies give or cost against the head alone: `python -m benchmarks.harm [SET ...] [--small]`.

The six sets of benchmarks.race, seeds 0, 1 and 2: the seed of the fit, and of the items that are drawn from a larger
set. Each row runs in a process of its own and goes into benchmarks/results/harm.json as soon as it is done, so the
command can be stopped and called again (remove the file to start over). It ends with the table of held-out accuracy
minus that of the head alone, in points, and the number to reach: no policy below -0.5 on average over the sets.
"""

from __future__ import annotations

import json
import sys
from itertools import product
from typing import Any

from benchmarks import race
from benchmarks.side import run_side
from benchmarks.work import ROOT, write_between
from headstart.files import write_text

RESULTS = ROOT / "benchmarks" / "results" / "harm.json"
POLICIES = (race.AUTO, "none", "last:1", "lora")
ALONE, SEEDS = "all", (0, 1, 2)

Results = dict[str, dict[str, Any]]


def main() -> None:
    """Run the rows of the sets that were named, or every missing row, and print the table."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    small = "--small" in sys.argv
    if "--one" in sys.argv:
        print(json.dumps(race.one(words[0], words[1], int(words[2]), small=small)))
        return
    results: Results = json.loads(RESULTS.read_text()) if RESULTS.exists() and not small else {}
    for seed, name, policy in product(SEEDS, words or race.NAMES, (ALONE, *POLICIES)):
        measure(name, policy, seed, results, small=small)
    print(table(results))
    if not small:
        write_between("harm", table(results))


def measure(name: str, policy: str, seed: int, results: Results, *, small: bool) -> None:
    """Run a row in a process of its own, unless its result is there, and store what the table needs of it."""
    row = f"{name}/{policy}/{seed}"
    if row in results:
        return
    found = run_side("benchmarks.harm", name, policy, seed, "--one", *(["--small"] if small else []))
    results[row] = {key: found[key] for key in ("accuracy", "chosen", "reason", "process")}
    print(f"{row}: {found['accuracy']:.3f}, {found['process']:.0f} s, {found['chosen']}", flush=True)
    if not small:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        write_text(RESULTS, json.dumps(results, indent=1) + "\n")


def table(results: Results) -> str:
    """Accuracy minus that of the head alone, mean of the seeds, and how often the training was returned."""
    lines = [f"| policy | {' | '.join(race.NAMES)} | average |", "|---" * (len(race.NAMES) + 2) + "|"]
    for policy in POLICIES:
        gains = [_gains(results, name, policy) for name in race.NAMES]
        means = [100 * sum(each) / len(each) for each in gains if each]
        cells = [_cell(results, name, policy, each) for name, each in zip(race.NAMES, gains, strict=True)]
        average = f"{sum(means) / len(means):+.2f}" if len(means) == len(race.NAMES) else "not all run"
        lines.append(f"| {policy} | {' | '.join(cells)} | {average} |")
    return "\n".join(lines)


def _gains(results: Results, name: str, policy: str) -> list[float]:
    rows = [(results.get(f"{name}/{policy}/{seed}"), results.get(f"{name}/{ALONE}/{seed}")) for seed in SEEDS]
    return [own["accuracy"] - alone["accuracy"] for own, alone in rows if own and alone]


def _cell(results: Results, name: str, policy: str, gains: list[float]) -> str:
    if not gains:
        return ""
    found = [results[row] for seed in SEEDS if (row := f"{name}/{policy}/{seed}") in results]
    n_trained = sum(each["chosen"] != ALONE for each in found)
    return f"{100 * sum(gains) / len(gains):+.1f} ({n_trained} of {len(found)} trained)"


if __name__ == "__main__":
    main()
