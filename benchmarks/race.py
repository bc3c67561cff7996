"""The race against every fixed policy: `python -m benchmarks.race [SET[/POLICY] ...] [--small]`.

Six sets, the same split for all policies, no policy sees the held-out part. A fixed policy trains 5 epochs on
pictures, 4 on texts and 3 on recordings, however long that takes; the race has its budget. Each row runs in a
process of its own with an empty store and goes into benchmarks/results/race.json as soon as it is done, so the
command can be stopped and called again: rows that are there are not run again (remove the file to start over). It
ends with the table, and whether the numbers to reach are reached:

    within one paired standard error, on average over the sets, of the best fixed policy of each set, picked by
    hindsight on the held-out part; and above every fixed policy's average

`none` is run a second time with as many of its epochs as the race's budget holds, by what its first run took.
"""

from __future__ import annotations

import csv
import json
import math
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.sets import DATA, SETS
from benchmarks.side import run_side
from benchmarks.work import ROOT, WHISPER, write_between
from headstart.files import write_text

RESULTS = ROOT / "benchmarks" / "results" / "race.json"
POLICIES = ("all", "none", "last:1", "first:half", "lora", "norm", "bias", "gradual")
AUTO, BUDGET, BUDGET_SECONDS = "auto", "2m", 120.0
IN_TIME = f"none@{BUDGET}"  # the strongest of the fixed policies in the time that the race has
N_TRAIN = {"sst2": 1000, "trec": 1000, "fsdd": 500}
N_TEST = {"fsdd": 300}
EPOCHS = {"hymenoptera": 5, "chest_xray": 5, "sst2": 4, "trec": 4, "emodb": 3, "fsdd": 3}
NAMES = tuple(EPOCHS)


def main() -> None:
    """Run the rows that were named, or every missing row, and print the table."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    small = "--small" in sys.argv
    if "--one" in sys.argv:
        print(json.dumps(one(words[0], words[1], small=small)))
        return
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() and not small else {}
    for name in NAMES:
        for policy in (AUTO, *POLICIES, IN_TIME):
            row = f"{name}/{policy}"
            if not words or row in words or name in words:
                measure(row, results, small=small)
    text = table(results)
    print(text)
    if not small:
        write_between("race", text)


def measure(row: str, results: dict[str, Any], *, small: bool) -> None:
    """Run a row in a process of its own, unless its result is there, and store the result."""
    if not small and RESULTS.exists():  # another process may have run it meanwhile
        results.update(json.loads(RESULTS.read_text()))
    if row in results:
        return
    name, policy = row.split("/")
    if policy == IN_TIME and not small and _epochs_in_time(name) == EPOCHS[name]:
        found = results[f"{name}/none"]  # all of its epochs fit
    else:
        found = run_side("benchmarks.race", name, policy, "--one", *(["--small"] if small else []))
    results[row] = found
    print(f"{row}: {found['accuracy']:.3f}, {found['process']:.0f} s, {found['chosen']}", flush=True)
    if not small:
        _keep({**(json.loads(RESULTS.read_text()) if RESULTS.exists() else {}), row: found})


def one(name: str, policy: str, seed: int = 0, *, small: bool = False) -> dict[str, Any]:
    """Fit one set under one policy: which held-out items were right, and what it took.

    Args:
        name: of the set.
        policy: of `--freeze`; "half" in it stands for half of the stages, or the stage that comes then.
        seed: of the fit, and of the items that are drawn from a larger set.
        small: a few items and one epoch.
    """
    import headstart
    from headstart.sources import load_source

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data, source = _data(name, folder, seed, small=small)
        stages = tuple(load_source(str(source)).stages)
        half = len(stages) // 2
        policy = policy.replace("first:half", f"first:{half}").replace("half", stages[half])
        n_epochs = 1 if small else _epochs_in_time(name) if policy == IN_TIME else EPOCHS[name]
        options: dict[str, Any] = {"epochs": n_epochs}
        if policy == AUTO:
            options = {"budget": "20s" if small else BUDGET, **({"epochs": 1} if small else {})}
        started = time.perf_counter()
        run = headstart.fit(
            data, str(source), out=folder / "run", freeze=policy.partition("@")[0],
            store=str(folder / "store"), baseline=False, report=False, seed=seed, follow_outside=True, **options,
        )  # fmt: skip
        seconds = time.perf_counter() - started
        right = _right(run.path / "predictions.parquet")
        metrics = run.metrics
    return {
        "right": right,
        "accuracy": right.count("1") / len(right),
        "interval": [metrics["test"]["accuracy"][end] for end in ("low", "high")],
        "alone": metrics["baselines"]["probe"]["accuracy"]["value"],
        "policy": policy,
        "stages": metrics["stages"],
        "n_trained": sum(row["n_trained"] or 0 for row in metrics["stages"]),
        "seconds": seconds,
        "phases": metrics["seconds"],
        "chosen": metrics["chosen"]["policy"],
        "reason": metrics.get("reason", ""),
        "candidates": metrics.get("candidates", []),
    }


def _epochs_in_time(name: str) -> int:
    """The epochs of `none` that fit the budget, by the row of all its epochs, which has to be run before."""
    seconds = json.loads(RESULTS.read_text())[f"{name}/none"]["phases"]["tune"]
    return max(1, min(EPOCHS[name], int(BUDGET_SECONDS / (seconds / EPOCHS[name]))))


def table(results: dict[str, Any]) -> str:
    """The table in Markdown, and below it the two numbers to reach."""
    sets = [name for name in NAMES if f"{name}/{AUTO}" in results]
    lines = [f"| policy | {' | '.join(sets)} | average |", "|---" * (len(sets) + 2) + "|"]
    averages: dict[str, float] = {}
    for policy in (*POLICIES, IN_TIME, AUTO):
        cells, found = [], []
        for name in sets:
            row = results.get(f"{name}/{policy}")
            chosen = f" ({row['chosen']})" if row and policy == AUTO else ""
            cells.append("" if row is None else f"{row['accuracy']:.3f}{chosen}")
            found += [] if row is None else [row["accuracy"]]
        if sets and len(found) == len(sets):
            averages[policy] = sum(found) / len(found)
        average = f"{averages[policy]:.4f}" if policy in averages else "not all run"
        words = {"none": "none (lp-ft is the same)", IN_TIME: f"none, epochs that fit {BUDGET}"}.get(
            policy, policy
        )
        lines.append(f"| {words} | {' | '.join(cells)} | {average} |")
    shortfalls = [line for name in sets if (line := _shortfall(results, name)) is not None]
    lines += ["", *(text for text, _ in shortfalls)]
    if shortfalls:
        mean = sum(value for _, value in shortfalls) / len(shortfalls)
        lines += [
            "",
            f"On average {mean:+.2f} paired standard errors against the best by hindsight (at least -1).",
        ]
    fixed = {policy: averages[policy] for policy in POLICIES if policy in averages}
    if AUTO in averages and fixed:
        best = max(fixed, key=lambda policy: fixed[policy])
        overall = f"Average {averages[AUTO]:.4f}; the best fixed policy's, {best}, is {fixed[best]:.4f}"
        within = f", {averages[IN_TIME]:.4f} for none within {BUDGET}" if IN_TIME in averages else ""
        lines.append(f"{overall} without a limit of time{within}.")
    return "\n".join(lines)


def _shortfall(results: dict[str, Any], name: str) -> tuple[str, float] | None:
    """The race against the best fixed policy of a set, in words and in paired standard errors."""
    fixed = {p: results[f"{name}/{p}"] for p in POLICIES if f"{name}/{p}" in results}
    if not fixed:
        return None
    best = max(fixed, key=lambda policy: float(fixed[policy]["accuracy"]))
    own, other = results[f"{name}/{AUTO}"]["right"], fixed[best]["right"]
    differences = [int(one) - int(two) for one, two in zip(own, other, strict=True)]
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


def _data(name: str, folder: Path, seed: int, *, small: bool) -> tuple[Path, Path]:
    """A set as headstart reads it, and the source all policies start from."""
    if name in SETS:
        known = SETS[name]
        if known.modality == "text":
            known = replace(known, n_train=N_TRAIN[name], n_test=None)
        return known.data(seed, folder, small=small), known.source
    if name in N_TRAIN:
        return _few_recordings(name, folder, seed, small=small), WHISPER
    return DATA / name, WHISPER


def _few_recordings(name: str, folder: Path, seed: int, *, small: bool) -> Path:
    """Some recordings of each part of a set, as a table of paths."""
    with (DATA / name / "metadata.csv").open(newline="", encoding="utf-8") as file:
        rows = [(str(DATA / name / r["file"]), r["label"], r["split"]) for r in csv.DictReader(file)]
    draw, path = random.Random(seed), folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["audio", "label", "split"])
        for part, n_items in (("train", N_TRAIN[name]), ("test", N_TEST[name])):
            own = [row for row in rows if row[2] == part]
            writer.writerows(draw.sample(own, 24 if small else n_items))
    return path


def _right(path: Path) -> str:
    """Whether each held-out item was predicted right, 1 or 0, in the order of their names."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(path, columns=["item", "label", "predicted"]).to_pylist()
    return "".join(str(int(r["label"] == r["predicted"])) for r in sorted(rows, key=lambda r: str(r["item"])))


def _keep(results: dict[str, Any]) -> None:
    """Write the results; the file is whole at every moment."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    write_text(RESULTS, json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
