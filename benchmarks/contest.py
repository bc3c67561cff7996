"""Accuracy at an equal budget of time: `python -m benchmarks.contest [SET | SET/SIDE ...]`.

The same source, data, split and seeds for every side, which may take `--budget` seconds (60) on each of `--seeds`
seeds (5). A side that trains by epochs is first run for one, which is not counted; it then gets as many as fit,
at most those of its usual recipe. Every peer has two rows: at its default rate, and at the best of three, chosen for
each seed on the part that headstart sets aside as validation (`benchmarks.rates`); the search is not counted. What is
measured is kept in benchmarks/results: a stopped row is resumed where it was, `--again` measures it anew. The table
is written to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.rates import chosen_rate, with_best_rate
from benchmarks.sets import SETS
from benchmarks.side import run_side
from benchmarks.sides import Work
from benchmarks.work import ROOT, n_threads, write_between

RESULTS = ROOT / "benchmarks" / "results"
OURS = "headstart auto"
OWN_SHARE = 0.8  # of the budget, told to a side that keeps one itself but does more than train within it
MOST_EPOCHS = {"image": 10, "text": 4}
AUTOGLUON = Path(os.environ.get("AUTOGLUON_PYTHON", ROOT / ".venv-autogluon" / "bin" / "python"))


@dataclass(frozen=True)
class Side:
    """A side of the contest: its options, the modalities it is for, whether it gets the best of three rates."""

    name: str
    side: str
    options: dict[str, Any] = field(default_factory=dict)
    modalities: tuple[str, ...] = ("image", "text")
    keeps_budget: bool = False
    best_rate: bool = False

    @property
    def key(self) -> str:
        """The name as it stands in the command line and in file names."""
        return self.name.replace(", ", "-").replace(" ", "-").replace(":", "-")

    @property
    def at_best_rate(self) -> Side:
        """The same side at the best of three rates."""
        return replace(self, name=f"{self.name}, best rate", best_rate=True)


OWN = (
    Side(OURS, "headstart", {"freeze": "auto"}, keeps_budget=True),
    Side("headstart all", "headstart", {"freeze": "all"}),
    Side("headstart last:1", "headstart", {"freeze": "last:1"}),
    Side("headstart none", "headstart", {"freeze": "none"}),
)
PEERS = (
    Side("Trainer", "trainer"),
    Side("fastai fine_tune", "fastai", modalities=("image",)),
    Side("AutoGluon", "autogluon", keeps_budget=True),
)
SIDES = (*OWN, *(side for peer in PEERS for side in (peer, peer.at_best_rate)))


def main() -> None:
    """Run what was named, or all, seed by seed with the sides in turn; print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rows", nargs="*", help="SET or SET/SIDE, such as sst2 or sst2/Trainer")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--again", action="store_true", help="measure anew what was measured")
    parser.add_argument("--small", action="store_true", help="a few items, to see that everything runs")
    parser.add_argument("--table", action="store_true", help="write the table of what has been measured")
    told = parser.parse_args()
    results = RESULTS / "small" if told.small else RESULTS
    results.mkdir(parents=True, exist_ok=True)
    chosen = [] if told.table else _chosen(told.rows)
    if told.again:
        for name, side in chosen:
            _path(results, name, side).unlink(missing_ok=True)
    for seed in range(told.seeds):
        for name, side in chosen:
            _measure(results, name, side, seed, told.budget, told.small)
    text = table(results)
    print(text)
    if not told.small:
        write_between("contest", text)


def _chosen(rows: list[str]) -> list[tuple[str, Side]]:
    every = [
        (name, side) for name, data in SETS.items() for side in SIDES if data.modality in side.modalities
    ]
    known = {name for name, _ in every} | {f"{name}/{side.key}" for name, side in every}
    if unknown := set(rows) - known:
        raise SystemExit(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    wanted = [pair for pair in every if not rows or {pair[0], f"{pair[0]}/{pair[1].key}"} & set(rows)]
    if any(side.side == "autogluon" for _, side in wanted) and not AUTOGLUON.exists():
        print(f"AutoGluon is left out: there is no {AUTOGLUON} (make {AUTOGLUON.parent.parent.name})")
        wanted = [pair for pair in wanted if pair[1].side != "autogluon"]
    return wanted


def _measure(results: Path, name: str, side: Side, seed: int, budget: float, small: bool) -> None:
    """Run a side on a seed, unless its result is there; the first time plan its epochs."""
    path = _path(results, name, side)
    kept = json.loads(path.read_text()) if path.exists() else {"budget": budget, "seeds": {}}

    def keep() -> None:
        path.write_text(json.dumps(kept, indent=2))

    if kept["budget"] != budget:
        raise SystemExit(f"{path.name} was measured with a budget of {kept['budget']:g} s: say --again")
    if str(seed) in kept["seeds"]:
        return
    trains = not side.keeps_budget and side.options.get("freeze") != "all"
    if trains and "epochs" not in kept:
        kept.update(_planned_already(results, name, side, budget))
    if trains and "epochs" not in kept:
        kept["trial"] = _run(Work(side.side, name, seed, epochs=1, options=side.options, small=small))
        kept["epochs"] = planned(kept["trial"], budget, SETS[name].modality)
        keep()
    seconds = OWN_SHARE * budget if side.keeps_budget else None
    work = Work(
        side.side, name, seed, epochs=kept.get("epochs"), seconds=seconds, options=side.options, small=small
    )
    if side.best_rate:
        tried = kept.setdefault("rates", {}).setdefault(str(seed), {})
        work = with_best_rate(work, tried, _run, keep)
    found = kept["seeds"][str(seed)] = _run(work)
    keep()
    print(f"{name} {side.name} seed {seed}: {found['accuracy']:.3f} in {found['seconds']:.0f} s", flush=True)


def _planned_already(results: Path, name: str, side: Side, budget: float) -> dict[str, Any]:
    """The epochs of the same side at its default rate, if they were planned for the same budget."""
    default = next(other for other in SIDES if other.side == side.side and not other.best_rate)
    path = _path(results, name, default)
    kept = json.loads(path.read_text()) if side.best_rate and path.exists() else {}
    return {"epochs": kept["epochs"]} if kept.get("budget") == budget and "epochs" in kept else {}


def planned(trial: dict[str, Any], budget: float, modality: str) -> int:
    """How many epochs fit the budget, by a trial: at least one, at most those of the usual recipe."""
    fit = (budget - trial["once"]) / max(trial["epoch_seconds"] or budget, 1e-9)
    return max(1, min(MOST_EPOCHS[modality], math.floor(fit)))


def _run(work: Work) -> dict[str, Any]:
    if work.side == "autogluon":
        return run_side("benchmarks.autogluon", work, python=AUTOGLUON)
    return run_side("benchmarks.sides", work)


def _path(results: Path, name: str, side: Side) -> Path:
    return results / f"contest-{name}-{side.key}.json"


def table(results: Path) -> str:
    """What has been measured as Markdown: 95% intervals over the seeds, differences paired by seed."""
    lines = [
        "| set | side | epochs | accuracy | less headstart auto | seconds | peak memory | seeds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    budget = None
    for name, data in SETS.items():
        ours: dict[str, Any] = {}
        for side in SIDES:
            path = _path(results, name, side)
            if data.modality not in side.modalities or not path.exists():
                continue
            kept = json.loads(path.read_text())
            if not kept["seeds"]:
                continue
            budget = kept["budget"]
            if side.name == OURS:
                ours = kept["seeds"]
            lines.append(_line(name, side, kept, ours))
    if budget is None:
        return "Not measured yet."
    told = (
        f"Measured {time.strftime('%Y-%m-%d')} with {n_threads()} threads; budget {budget:g} s, of which the sides "
        f"that keep one themselves were told {OWN_SHARE:.0%}."
    )
    return "\n".join([told, "", *lines])


def _line(name: str, side: Side, kept: dict[str, Any], ours: dict[str, Any]) -> str:
    found = kept["seeds"]
    paired = [found[seed]["accuracy"] - ours[seed]["accuracy"] for seed in found if seed in ours]
    less = interval(paired, signed=True) if paired and side.name != OURS else ""
    seconds = sum(run["seconds"] for run in found.values()) / len(found)
    peak = max(run["peak_bytes"] for run in found.values()) / 1e9
    accuracy = interval([run["accuracy"] for run in found.values()])
    epochs = kept.get("epochs", "")
    rates = sorted({chosen_rate(kept["rates"][seed]) for seed in found} if side.best_rate else (), key=float)
    named = f"{side.name} ({', '.join(rates)})" if rates else side.name
    return f"| {name} | {named} | {epochs} | {accuracy} | {less} | {seconds:.0f} | {peak:.1f} GB | {len(found)} |"


def interval(values: list[float], *, signed: bool = False) -> str:
    """The mean with its 95% interval by Student's t, for two values or more."""
    from statistics import mean, stdev

    from scipy.stats import t

    sign = "+" if signed else ""
    if len(values) < 2:
        return f"{mean(values):{sign}.3f}"
    half = float(t.ppf(0.975, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    return f"{mean(values):{sign}.3f} ± {half:.3f}"


if __name__ == "__main__":
    main()
