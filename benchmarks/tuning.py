"""Training compared with the Trainer and with a bare loop: `python -m benchmarks.tuning [ROW ...] [--seeds 3]`.

Every side runs in a process of its own, headstart and the Trainer in turn, once a seed; medians of seconds are
compared, and means of accuracy. Every row has a second one, ROW-best, with the Trainer at the best of three rates,
chosen for each seed on the part that headstart sets aside as validation (`benchmarks.rates`); the search is not
counted. What is measured is kept in benchmarks/results, and a stopped row is resumed; `--again` measures anew. The
tables are written to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.rates import chosen_rate, with_best_rate
from benchmarks.side import run_side
from benchmarks.sides import Work
from benchmarks.work import ROOT, n_threads, random_timm_folder, write_between

RESULTS = ROOT / "benchmarks" / "results"
OVERHEAD = "overhead"
EVERY_EPOCH = {"eval_strategy": "epoch"}
RESNET_LAST = {"trained": ["layer4", "fc"], **EVERY_EPOCH}
MOBILENET_LAST = {"trained": ["blocks.6", "conv_head", "bn2", "classifier"], **EVERY_EPOCH}


@dataclass(frozen=True)
class Row:
    """One line of the table: what headstart does, what the Trainer does, and the ratio to reach."""

    name: str
    work: str
    set: str
    epochs: int
    ours: dict[str, Any]
    peer: dict[str, Any] = field(default_factory=dict)
    at_least: float | None = None
    random: bool = False
    best_rate: bool = False

    @property
    def at_best_rate(self) -> Row:
        """The same row with the Trainer at the best of three rates."""
        work = "the same, the Trainer at the best of 3 rates"
        return replace(self, name=f"{self.name}-best", work=work, at_least=None, best_rate=True)


LAST = {"freeze": "last:1"}
_AT_DEFAULT = (
    Row("resnet18-last", "last stage of resnet18 (random weights), hymenoptera, 10 epochs", "hymenoptera", 10,
        LAST, RESNET_LAST, 4, random=True),
    Row("mobilenet-last", "last stage of mobilenetv2_100.tf2 (pretrained), the same", "hymenoptera", 10,
        LAST, MOBILENET_LAST),
    Row("minilm-8", "all of MiniLM, 2,000 sentences, 3 epochs, our batch 8 too", "sst2", 3,
        {"freeze": "none", "batch_size": 8}, {}, 1.5),
    Row("minilm-own", "all of MiniLM, 2,000 sentences, 3 epochs, our batch the recipe's", "sst2", 3,
        {"freeze": "none"}, {}, 2),
)  # fmt: skip
ROWS = tuple(row for default in _AT_DEFAULT for row in (default, default.at_best_rate))


def main() -> None:
    """Run what was named, or all; print and write the tables."""
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rows", nargs="*", help=f"of {', '.join([*names, OVERHEAD])}")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--again", action="store_true", help="measure anew what was measured")
    parser.add_argument("--small", action="store_true", help="a few items, to see that everything runs")
    told = parser.parse_args()
    if unknown := set(told.rows) - {*names, OVERHEAD}:
        raise SystemExit(
            f"there is no row {', '.join(sorted(unknown))}; there are {', '.join([*names, OVERHEAD])}"
        )
    results = RESULTS / "small" if told.small else RESULTS
    results.mkdir(parents=True, exist_ok=True)
    wanted = told.rows or [*names, OVERHEAD]
    with tempfile.TemporaryDirectory() as temporary:
        resnet = random_timm_folder(Path(temporary) / "resnet18", "resnet18")
        for row in ROWS:
            if row.name in wanted:
                if told.again:
                    if not row.best_rate:  # which shares ours with the row before it
                        _ours(results, row).unlink(missing_ok=True)
                    _peer(results, row).unlink(missing_ok=True)
                measure(row, results, resnet, told.seeds, told.small)
                print(line(row, results), flush=True)
    if OVERHEAD in wanted and (told.again or not (results / f"{OVERHEAD}.json").exists()):
        found = run_side("benchmarks.overhead", *(["--small"] if told.small else []))
        (results / f"{OVERHEAD}.json").write_text(json.dumps(found, indent=2))
    for mark, text in (("tuning", table(results)), (OVERHEAD, overhead_table(results))):
        print(f"\n{text}")
        if not told.small:
            write_between(mark, text)


def measure(row: Row, results: Path, resnet: Path, n_seeds: int, small: bool) -> None:
    """Run both sides on the seeds that are not measured yet; a peer that several rows share runs once."""
    for seed in range(n_seeds):
        for path, side, options in (
            (_peer(results, row), "trainer", row.peer),
            (_ours(results, row), "headstart", row.ours),
        ):
            source = str(resnet) if row.random else None
            work = Work(side, row.set, seed, source, 1 if small else row.epochs, options=options, small=small)
            _run_once(path, work, best_rate=row.best_rate and side == "trainer")


def _run_once(path: Path, work: Work, *, best_rate: bool) -> None:
    """Run a side on its seed, if it is not measured yet; at the best of three rates if told."""
    kept = json.loads(path.read_text()) if path.exists() else {}

    def keep() -> None:
        path.write_text(json.dumps(kept, indent=2))

    if str(work.seed) in kept:
        return
    if best_rate:
        tried = kept.setdefault("rates", {}).setdefault(str(work.seed), {})
        work = with_best_rate(work, tried, _run, keep)
    kept[str(work.seed)] = _run(work)
    keep()


def _run(work: Work) -> dict[str, Any]:
    return run_side("benchmarks.sides", work)


def line(row: Row, results: Path) -> str:
    """A row of the table in Markdown."""
    own, peer = (json.loads(path(results, row).read_text()) for path in (_ours, _peer))
    both = sorted(set(own) & set(peer))
    own_seconds, peer_seconds, evaluating = (
        statistics.median(side[seed][key] for seed in both)
        for side, key in ((own, "seconds"), (peer, "seconds"), (peer, "evaluations"))
    )
    own_accuracy, peer_accuracy = (
        statistics.mean(side[seed]["accuracy"] for seed in both) for side in (own, peer)
    )
    policies = sorted({own[seed]["policy"] for seed in both})
    rates = sorted({chosen_rate(peer["rates"][seed]) for seed in both} if row.best_rate else (), key=float)
    named = f"{row.work} ({', '.join(rates)})" if rates else row.work
    kept = f" (returned: {', '.join(policies)})" if policies != [row.ours["freeze"]] else ""
    longer = f" ({peer_seconds + evaluating:.0f} s with an evaluation each epoch)" if evaluating else ""
    goal = "" if row.at_least is None else f"{row.at_least:g}x"
    memory = [max(side[seed]["peak_bytes"] for seed in both) / 1e9 for side in (peer, own)]
    return (
        f"| {named} | {peer_seconds:.1f} s{longer}, {peer_accuracy:.3f}, {memory[0]:.1f} GB | "
        f"{own_seconds:.1f} s, {own_accuracy:.3f}, {memory[1]:.1f} GB{kept} | {peer_seconds / own_seconds:.2f}x | "
        f"{goal} | {len(both)} |"
    )


def table(results: Path) -> str:
    """All rows that were measured."""
    lines = [
        f"Measured {time.strftime('%Y-%m-%d')} with {n_threads()} threads; median seconds, mean accuracy.",
        "",
        "| work | transformers Trainer | headstart | ratio | goal | seeds |",
        "|---|---|---|---|---|---|",
    ]
    there = [row for row in ROWS if _ours(results, row).exists() and _peer(results, row).exists()]
    return "\n".join([*lines, *(line(row, results) for row in there)]) if there else "Not measured yet."


def overhead_table(results: Path) -> str:
    """Our loop against the bare one."""
    path = results / f"{OVERHEAD}.json"
    if not path.exists():
        return "Not measured yet."
    lines = ["| work | bare loop | headstart | overhead (95% interval) | goal |", "|---|---|---|---|---|"]
    for row in json.loads(path.read_text())["rows"]:
        lines.append(
            f"| {row['work']} ({row['precision']}) | {row['bare']:.2f} s | {row['ours']:.2f} s | "
            f"{row['overhead']:+.1%} ({row['interval'][0]:+.1%} to {row['interval'][1]:+.1%}) | under 5% |"
        )
    return "\n".join(lines)


def _ours(results: Path, row: Row) -> Path:
    return results / f"tuning-{row.name.removesuffix('-best')}.json"


def _peer(results: Path, row: Row) -> Path:
    same = (row.set, row.peer, row.best_rate)
    first = next(other for other in ROWS if (other.set, other.peer, other.best_rate) == same)
    return results / f"tuning-{first.name}-trainer.json"


if __name__ == "__main__":
    main()
