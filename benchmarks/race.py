"""The race against every fixed policy: `python -m benchmarks.race [SET[/POLICY] ...] [--small]`.

Six sets, the same split for all policies, no policy sees the held-out part. Each row runs in a process of its
own with an empty store and goes into benchmarks/results/race.json as soon as it is done, so the command can be
stopped and called again: rows that are there are not run again (remove the file to start over). It ends with the
table, and whether the numbers to reach are reached:

    within one paired standard error, on average over the sets, of the best fixed policy of each set, picked by
    hindsight on the held-out part; and above every fixed policy's average
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.sets import DATA, SETS
from benchmarks.side import run_side
from benchmarks.work import ROOT, WHISPER, write_between

RESULTS = ROOT / "benchmarks" / "results" / "race.json"
POLICIES = ("all", "none", "lp-ft", "last:1", "first:half", "lora", "norm", "bias", "gradual")
AUTO, BUDGET = "auto", "2m"
N_TRAIN = 1000


def names() -> tuple[str, ...]:
    """The sets in the order of the table."""
    return ("hymenoptera", "chest_xray", "sst2", "trec", "emodb", "fsdd")


def main() -> None:
    """Run the rows that were named, or all that are missing, and print the table."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    small = "--small" in sys.argv
    if "--one" in sys.argv:
        print(json.dumps(one(words[0], words[1], small=small)))
        return
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() and not small else {}
    for name in names():
        for policy in (AUTO, *POLICIES):
            row = f"{name}/{policy}"
            if row in results or (words and row not in words and name not in words):
                continue
            flags = ["--small"] if small else []
            results[row] = run_side("benchmarks.race", name, policy, "--one", *flags)
            told = results[row]
            print(f"{row}: {told['accuracy']:.3f}, {told['process']:.0f} s, {told['chosen']}", flush=True)
            if not small:
                _keep(results)
    text = table(results)
    print(text)
    if not small:
        write_between("race", text)


def one(name: str, policy: str, *, small: bool = False) -> dict[str, Any]:
    """Fit one set under one policy: which held-out items were right, and what it took."""
    import headstart
    from headstart.sources import load_source

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data, source = _data(name, folder, small=small)
        if policy == "first:half":
            policy = f"first:{len(load_source(str(source)).stages) // 2}"
        options: dict[str, Any] = {"epochs": 1} if small else {}
        if policy == AUTO:
            options["budget"] = "20s" if small else BUDGET
        started = time.perf_counter()
        run = headstart.fit(
            data, str(source), out=folder / "run", freeze=policy, store=str(folder / "store"),
            baseline=False, report=False, **options,
        )  # fmt: skip
        seconds = time.perf_counter() - started
        right = _right(run.path / "predictions.parquet")
        metrics = run.metrics
    return {
        "right": right,
        "accuracy": sum(right.values()) / len(right),
        "seconds": seconds,
        "phases": metrics["seconds"],
        "chosen": metrics["chosen"]["policy"],
        "reason": metrics.get("reason", ""),
        "candidates": metrics.get("candidates", []),
    }


def table(results: dict[str, Any]) -> str:
    """The table in Markdown, and below it the two numbers to reach."""
    sets = [name for name in names() if f"{name}/{AUTO}" in results]
    lines = [f"| policy | {' | '.join(sets)} | average |", "|---" * (len(sets) + 2) + "|"]
    averages: dict[str, float] = {}
    for policy in (*POLICIES, AUTO):
        cells, found = [], []
        for name in sets:
            told = results.get(f"{name}/{policy}")
            chosen = f" ({told['chosen']})" if told and policy == AUTO else ""
            cells.append("" if told is None else f"{told['accuracy']:.3f}{chosen}")
            found += [] if told is None else [told["accuracy"]]
        if sets and len(found) == len(sets):
            averages[policy] = sum(found) / len(found)
        average = f"{averages[policy]:.4f}" if policy in averages else "not all run"
        lines.append(f"| {policy} | {' | '.join(cells)} | {average} |")
    shortfalls = [line for name in sets if (line := _shortfall(results, name)) is not None]
    lines += ["", *(text for text, _ in shortfalls)]
    if shortfalls:
        mean = sum(value for _, value in shortfalls) / len(shortfalls)
        lines += [
            "",
            f"On average {mean:+.2f} paired standard errors against the best by hindsight (at least -1).",
        ]
    if AUTO in averages and len(averages) > 1:
        best = max(value for policy, value in averages.items() if policy != AUTO)
        lines.append(f"Average {averages[AUTO]:.4f}; the best fixed policy's is {best:.4f}.")
    return "\n".join(lines)


def _shortfall(results: dict[str, Any], name: str) -> tuple[str, float] | None:
    """The race against the best fixed policy of a set, in words and in paired standard errors."""
    fixed = {p: results[f"{name}/{p}"] for p in POLICIES if f"{name}/{p}" in results}
    if not fixed:
        return None
    best = max(fixed, key=lambda policy: float(fixed[policy]["accuracy"]))
    own, other = results[f"{name}/{AUTO}"]["right"], fixed[best]["right"]
    differences = [int(own[item]) - int(other[item]) for item in own]
    n = len(differences)
    mean = sum(differences) / n
    variance = sum((d - mean) ** 2 for d in differences) / max(1, n - 1)
    error = math.sqrt(variance / n)
    ratio = mean / error if error else 0.0
    alone = fixed.get("all")
    harm = "" if alone is None else f"; the head alone has {alone['accuracy']:.3f}"
    return (
        f"- {name}: {mean:+.3f} against {best} (standard error {error:.3f}) on {n} items{harm}",
        ratio,
    )


def _data(name: str, folder: Path, *, small: bool) -> tuple[Path, Path]:
    """A set as headstart reads it, and the source all policies start from."""
    if name in SETS:
        known = SETS[name]
        if known.modality == "text":
            known = replace(known, n_train=N_TRAIN, n_test=None)
        return known.data(0, folder, small=small), known.source
    return DATA / name, WHISPER


def _right(path: Path) -> dict[str, bool]:
    """Whether each held-out item was predicted right."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(path, columns=["item", "label", "predicted"]).to_pylist()
    return {row["item"]: row["label"] == row["predicted"] for row in rows}


def _keep(results: dict[str, Any]) -> None:
    """Write the results; the file is whole at every moment."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    temporary = RESULTS.with_suffix(".part")
    temporary.write_text(json.dumps(results))
    os.replace(temporary, RESULTS)


if __name__ == "__main__":
    main()
