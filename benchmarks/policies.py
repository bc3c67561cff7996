"""Every policy on real data in every modality: `python -m benchmarks.policies [SET | SET/POLICY ...]`.

Photos of ants and bees with mobilenetv2, 1,000 sentences of sst2 with MiniLM, spoken digits with Whisper's encoder,
each through `headstart.fit` with the recipe of its modality. Printed for every policy: its table of stages, the
accuracy on the held-out part of what the run returns, whether that is the trained network or the head alone, what
validation said of both, and the seconds. All policies of a set share one store, so the features of the head alone
are computed once; the seconds of training stand apart. What has been measured is kept in benchmarks/results and not
measured again, unless `--again` is said. The table is written to docs/freezing.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.sets import SETS
from benchmarks.work import MINILM, MOBILENET, ROOT, SHARED, WHISPER, n_threads, write_between

RESULTS = ROOT / "benchmarks" / "results"
FSDD = SHARED / "data" / "fsdd"
POLICIES = (
    *("all", "none", "first:{cut}", "until:{middle}", "last:1", "only:{middle}", "only:auto", "norm", "bias"),
    *("lora:8", "dora:8", "ia3", "gradual", "lp-ft", "first:{cut},lora:8", "first:{cut},gradual", "auto"),
)


@dataclass(frozen=True)
class Task:
    """A data set with its source, and how long a policy may train on it.

    Attributes:
        name: of the set.
        source: its folder of weights.
        cut: the number of stages that `first` freezes.
        middle: the stage that `until` and `only` name.
        epochs: of each policy.
        budget: of `auto`.
        n_train, n_test: items drawn of each part; None: all of it.
    """

    name: str
    source: Path
    cut: int
    middle: str
    epochs: int
    budget: str
    n_train: int | None = None
    n_test: int | None = None

    @property
    def policies(self) -> list[str]:
        """Every policy, with the stages of this source."""
        return [text.format(cut=self.cut, middle=self.middle) for text in POLICIES]

    def write(self, folder: Path, *, small: bool) -> Path:
        """The set as headstart reads it: a table with paths or texts, labels and parts."""
        n_train, n_test = (48, 24) if small else (self.n_train, self.n_test)
        rows = _sound_rows() if self.name == "fsdd" else _rows_of(self.name)
        path = folder / f"{self.name}.csv"
        draw = random.Random(0)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(
                [{"fsdd": "audio", "hymenoptera": "image"}.get(self.name, "text"), "label", "split"]
            )
            for part, n_items in (("train", n_train), ("test", n_test)):
                own = [row for row in rows if row[2] == part]
                writer.writerows(draw.sample(own, min(n_items or len(own), len(own))))
        return path


TASKS = {
    task.name: task
    for task in (
        Task("hymenoptera", MOBILENET, 6, "blocks.5", 10, "2m"),
        Task("sst2", MINILM, 4, "layer.3", 4, "2m", 1000, 800),
        Task("fsdd", WHISPER, 3, "layer.2", 10, "2m", 500, 300),
    )
}


def main() -> None:
    """Run what was named, or all; print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rows", nargs="*", help="SET or SET/POLICY, such as sst2 or sst2/norm")
    parser.add_argument("--again", action="store_true", help="measure anew what was measured")
    parser.add_argument("--small", action="store_true", help="a few items and epochs, to see that all runs")
    parser.add_argument("--table", action="store_true", help="write the table of what has been measured")
    told = parser.parse_args()
    results = RESULTS / "small" if told.small else RESULTS
    results.mkdir(parents=True, exist_ok=True)
    every = [(task, policy) for task in TASKS.values() for policy in task.policies]
    known = {*TASKS, *(f"{task.name}/{policy}" for task, policy in every)}
    if unknown := set(told.rows) - known:
        raise SystemExit(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    for task in TASKS.values():
        chosen = [
            policy
            for policy in task.policies
            if not told.rows or {task.name, f"{task.name}/{policy}"} & set(told.rows)
        ]
        if not told.table:
            _measure(task, chosen, results, again=told.again, small=told.small)
    text = table(results)
    print(text)
    if not told.small:
        write_between("policies", text, "freezing.md")


def _measure(task: Task, policies: list[str], results: Path, *, again: bool, small: bool) -> None:
    """Run the policies of a set, in one process on one store, unless their results are there."""
    path = results / f"policies-{task.name}.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    with tempfile.TemporaryDirectory() as temporary:
        data = task.write(Path(temporary), small=small)
        for policy in policies:
            if policy in kept and not again:
                continue
            kept[policy] = found = _fit(task, policy, data, Path(temporary), small=small)
            path.write_text(json.dumps(kept, indent=2))
            taken = "trained" if found["taken"] != "all" else "head alone"
            print(
                f"{task.name} {policy}: {found['accuracy']:.3f} ({taken}), "
                f"{found['tune_seconds']:.1f} s of training, {found['seconds']:.1f} s in all",
                flush=True,
            )


def _fit(task: Task, policy: str, data: Path, folder: Path, *, small: bool) -> dict[str, Any]:
    """One run under a policy, and what it says of itself; its table is printed."""
    import headstart
    from headstart.tune.groups import StageRow, as_table

    started = time.perf_counter()
    run = headstart.fit(
        data,
        str(task.source),
        out=folder / "runs" / policy.replace(":", "-").replace(",", "-"),
        freeze=policy,
        epochs=2 if small else task.epochs,
        budget=("20s" if small else task.budget) if policy == "auto" else None,
        store=str(folder / "store"),
        threads=n_threads(),
        baseline=False,
        report=False,
    )
    metrics = run.metrics
    print(as_table([StageRow(**row) for row in metrics["stages"]]))
    return {
        "accuracy": metrics["test"]["accuracy"]["value"],
        "low": metrics["test"]["accuracy"]["low"],
        "high": metrics["test"]["accuracy"]["high"],
        "log_loss": metrics["test"]["log_loss"]["value"],
        "alone": metrics["baselines"]["probe"]["accuracy"]["value"],
        "taken": metrics["chosen"]["policy"],
        "reason": metrics["reason"],
        "stages": metrics["stages"],
        "tune_seconds": metrics["seconds"].get("tune", 0.0),
        "seconds": time.perf_counter() - started,
    }


def table(results: Path) -> str:
    """What has been measured as Markdown."""
    lines = [
        "| set | policy | trained parameters | accuracy (95%) | head alone | returned | training |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, task in TASKS.items():
        path = results / f"policies-{name}.json"
        kept = json.loads(path.read_text()) if path.exists() else {}
        lines += [_line(name, policy, kept[policy]) for policy in task.policies if policy in kept]
    if len(lines) == 2:
        return "Not measured yet."
    told = f"Measured {time.strftime('%Y-%m-%d')} with {n_threads()} threads, seed 0."
    return "\n".join([told, "", *lines])


def _line(name: str, policy: str, found: dict[str, Any]) -> str:
    taken = found["taken"] if found["taken"] != "all" else "head alone"
    return (
        f"| {name} | `{policy}` | {_n_trained(found['stages'])} | {found['accuracy']:.3f} "
        f"({found['low']:.3f} to {found['high']:.3f}) | {found['alone']:.3f} | {taken} "
        f"| {found['tune_seconds']:.0f} s |"
    )


def _n_trained(rows: list[dict[str, Any]]) -> str:
    """How many parameters of the network train, read off the table of stages."""
    total = 0
    for row in rows:
        partly = re.search(r"(?:alone, |adapters of )([\d,]+)", row["fate"])
        if partly:
            total += int(partly[1].replace(",", ""))
        elif row["fate"].startswith("trained at"):
            total += row["n_parameters"] or 0
    return f"{total:,}" if total or rows[0]["fate"] != "chosen on validation" else "by the choice"


def _rows_of(name: str) -> list[tuple[str, str, str]]:
    split = SETS[name].split(0)
    if name == "sst2":
        with (SHARED / "data" / name / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            return [(row["text"], row["label"], row["split"]) for row in csv.DictReader(file)]
    return [
        *((item, label, "train") for item, label in zip(split.train, split.train_labels, strict=True)),
        *((item, label, "test") for item, label in zip(split.test, split.test_labels, strict=True)),
    ]


def _sound_rows() -> list[tuple[str, str, str]]:
    with (FSDD / "metadata.csv").open(newline="", encoding="utf-8") as file:
        return [(str(FSDD / row["file"]), row["label"], row["split"]) for row in csv.DictReader(file)]


if __name__ == "__main__":
    sys.exit(main())
