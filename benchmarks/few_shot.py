"""A few labels per class against SetFit: `python -m benchmarks.few_shot [ROW ...]`.

SetFit has two lines per row: with its defaults, and at the best of three rates of its encoder. So few labels leave
nothing to choose a rate by, and headstart sets none aside: SetFit's is chosen on 200 other labelled texts of the train
part, which nobody with so few labels has. The search is not counted in its seconds.

Both sides see the same texts, the same drawn labels (of the train part, one draw a seed), the same held-out rows,
the same weights and as many threads; each runs in a process of its own, one after the other. Seconds run from the
files to the accuracy on the held-out part, imports not counted. What has been measured is kept in
benchmarks/results and not measured again, unless `--again` is said. The table is written to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.contest import interval
from benchmarks.rates import chosen_rate
from benchmarks.side import run_side
from benchmarks.work import MINILM, ROOT, SHARED, n_threads, write_between

RESULTS = ROOT / "benchmarks" / "results"
RATES = (2e-5, 6e-5, 2e-4)  # of SetFit's encoder; its default first
N_OTHERS = 200
SETFIT = os.environ.get("SETFIT_PYTHON")  # SetFit's own environment, where it is not in this one


@dataclass(frozen=True)
class Row:
    """A data set, the labels per class, and how many draws of them."""

    data: str
    n_labels: int
    n_seeds: int

    @property
    def name(self) -> str:
        """As it is named on the command line: sst2-8."""
        return f"{self.data}-{self.n_labels}"


ROWS = (Row("sst2", 8, 5), Row("sst2", 16, 5), Row("trec", 8, 5), Row("trec", 16, 5), Row("sst2", 64, 2))


def drawn(data: str, n_labels: int, seed: int, held_out: str = "test") -> list[tuple[str, str, str]]:
    """Rows of text, label and part: so many of each class of the train part, and the held-out ones as "test".

    Args:
        data: name of the set, "sst2" or "trec".
        n_labels: rows of each class.
        seed: of the draw.
        held_out: "test", the whole test part, or "others", 200 rows of the train part that were not drawn.
    """
    with open(SHARED / "data" / data / f"{data}.csv", newline="", encoding="utf-8") as file:
        rows = [(row["text"], row["label"], row["split"]) for row in csv.DictReader(file)]
    random = np.random.default_rng(seed)
    few = []
    for name in sorted({label for _, label, _ in rows}):
        own = [row for row in rows if row[1:] == (name, "train")]
        few += [own[index] for index in random.choice(len(own), n_labels, replace=False)]
    if held_out == "test":
        return [*few, *(row for row in rows if row[2] == "test")]
    rest = sorted({row for row in rows if row[2] == "train"} - set(few))
    others = random.choice(len(rest), N_OTHERS, replace=False)
    return [*few, *((*rest[index][:2], "test") for index in others)]


def setfit(
    data: str, n_labels: int, seed: int, rate: float | None = None, held_out: str = "test"
) -> dict[str, Any]:
    """SetFit's Trainer with its defaults, or at another rate; the weights in float32, as they are on the hub."""
    import torch
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    torch.set_num_threads(n_threads())
    with tempfile.TemporaryDirectory() as temporary:
        os.chdir(temporary)
        started = time.perf_counter()
        rows = drawn(data, n_labels, seed, held_out)
        few, test = ([row for row in rows if row[2] == part] for part in ("train", "test"))
        model = SetFitModel.from_pretrained(str(MINILM), device="cpu")
        model.model_body.float()
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir="checkpoints",
                seed=seed,
                report_to="none",
                **({} if rate is None else {"body_learning_rate": rate}),
            ),
            train_dataset=Dataset.from_dict(
                {"text": [row[0] for row in few], "label": [row[1] for row in few]}
            ),
        )
        trainer.train()
        trained = time.perf_counter() - started
        guessed = np.asarray(model.predict([row[0] for row in test], show_progress_bar=False))
        accuracy = float((guessed == np.array([row[1] for row in test])).mean())
        seconds = time.perf_counter() - started
        os.chdir(ROOT)
    return {"accuracy": accuracy, "trained": trained, "seconds": seconds}


def headstart(data: str, n_labels: int, seed: int) -> dict[str, Any]:
    """`headstart fit few.csv --freeze none --recipe few-shot`, with an empty store."""
    from benchmarks.ours import timed_fit

    with tempfile.TemporaryDirectory() as temporary:
        started = time.perf_counter()
        path = Path(temporary) / "few.csv"
        with open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "label", "split"), *drawn(data, n_labels, seed)])
        before = time.perf_counter() - started
        found = timed_fit(path, source=str(MINILM), freeze="none", recipe="few-shot", seed=seed)
    return {**found, "seconds": before + found["seconds"]}


SIDES = {"setfit": setfit, "headstart": headstart}
BEST = "setfit-best"
PEERS = {"setfit": "SetFit", BEST: "SetFit, best of 3 rates"}


def main() -> None:
    """Measure the rows that were named, or all; print the table and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(row.name for row in ROWS)}")
    parser.add_argument("--again", action="store_true", help="measure anew what was measured")
    parser.add_argument("--table", action="store_true", help="write the table of what has been measured")
    parser.add_argument("--side", nargs="+", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.side:
        side, data, n_labels, seed, *rate_and_part = told.side
        more = (float(rate_and_part[0]), rate_and_part[1]) if rate_and_part else ()
        print(json.dumps(SIDES[side](data, int(n_labels), int(seed), *more)))
        return
    if unknown := set(told.rows) - {row.name for row in ROWS}:
        raise SystemExit(
            f"there is no {', '.join(sorted(unknown))}; there are {', '.join(r.name for r in ROWS)}"
        )
    RESULTS.mkdir(parents=True, exist_ok=True)
    for row in ROWS:
        if not told.table and row.name in (told.rows or [row.name]):
            _measure(row, again=told.again)
    text = table()
    print(text)
    write_between("few-shot", text)


def _measure(row: Row, *, again: bool) -> None:
    """Run every side on every draw, in turn, unless their results are there."""
    path = _path(row)
    kept = json.loads(path.read_text()) if path.exists() and not again else {}

    def keep() -> None:
        path.write_text(json.dumps(kept, indent=2))

    for seed in range(row.n_seeds):
        for side in (*SIDES, BEST):
            done = kept.setdefault(side, {})
            if str(seed) in done:
                continue
            if side == BEST:
                tried = kept.setdefault("rates", {}).setdefault(str(seed), {})
                found = _at_best_rate(row, seed, kept["setfit"][str(seed)], tried, keep)
            else:
                found = _run(side, row, seed)
            done[str(seed)] = found
            keep()
            print(
                f"{row.name} seed {seed} {side}: {found['accuracy']:.3f} in {found['seconds']:.1f} s",
                flush=True,
            )


def _at_best_rate(
    row: Row, seed: int, at_default: dict[str, Any], tried: dict[str, float], keep: Callable[[], None]
) -> dict[str, Any]:
    """SetFit at the rate that is best on other labelled texts; the run at the default is not repeated."""
    for rate in RATES:
        if f"{rate:g}" not in tried:
            tried[f"{rate:g}"] = _run("setfit", row, seed, rate, "others")["accuracy"]
            keep()
    best = float(chosen_rate(tried))
    return at_default if best == RATES[0] else _run("setfit", row, seed, best, "test")


def _run(side: str, row: Row, seed: int, *rate_and_part: object) -> dict[str, Any]:
    python = Path(SETFIT) if SETFIT and side == "setfit" else None
    arguments = ("--side", side, row.data, row.n_labels, seed, *rate_and_part)
    return run_side("benchmarks.few_shot", *arguments, python=python)


def table() -> str:
    """What has been measured as Markdown: 95% intervals over the draws, differences paired by draw."""
    lines = [
        "| labels | peer | its accuracy | headstart | headstart less peer | peer takes | headstart takes | ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    over_all = []
    for side, name in PEERS.items():
        differences: list[float] = []
        totals = {"peer": 0.0, "own": 0.0}
        for row in ROWS:
            kept = json.loads(_path(row).read_text()) if _path(row).exists() else {}
            seeds = [seed for seed in kept.get(side, {}) if seed in kept["headstart"]]
            if not seeds:
                continue
            peer, own = ([kept[each][seed] for seed in seeds] for each in (side, "headstart"))
            less = [a["accuracy"] - b["accuracy"] for a, b in zip(own, peer, strict=True)]
            differences += less
            totals["peer"] += sum(run["seconds"] for run in peer)
            totals["own"] += sum(run["seconds"] for run in own)
            rates = {chosen_rate(kept["rates"][seed]) for seed in seeds} if side == BEST else set()
            named = f"{name} ({', '.join(sorted(rates, key=float))})" if rates else name
            lines.append(_line(row, named, peer, own, less))
        if differences:
            ratio = totals["peer"] / totals["own"]
            over_all.append(
                f"Over all draws against {name}: {mean(differences):+.4f} accuracy, {ratio:.1f}x faster."
            )
    if not over_all:
        return "Not measured yet."
    told = f"Measured {time.strftime('%Y-%m-%d')} with {n_threads()} threads."
    return "\n".join([told, "", *lines, "", *over_all])


def _line(
    row: Row, name: str, peer: list[dict[str, Any]], own: list[dict[str, Any]], less: list[float]
) -> str:
    return (
        f"| {row.data}, {row.n_labels} per class, {len(peer)} draws | {name} | {_accuracy(peer)} | {_accuracy(own)} "
        f"| {interval(less, signed=True)} | {_cost(peer)} | {_cost(own)} "
        f"| {_seconds(peer) / _seconds(own):.1f}x |"
    )


def _accuracy(runs: list[dict[str, Any]]) -> str:
    return interval([run["accuracy"] for run in runs])


def _seconds(runs: list[dict[str, Any]]) -> float:
    return mean(run["seconds"] for run in runs)


def _cost(runs: list[dict[str, Any]]) -> str:
    return f"{_seconds(runs):.1f} s, {max(run['peak_bytes'] for run in runs) / 1e9:.1f} GB"


def _path(row: Row) -> Path:
    return RESULTS / f"few-shot-{row.name}.json"


if __name__ == "__main__":
    sys.exit(main())
