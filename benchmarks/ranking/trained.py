"""The rankings against what training gives: `python -m benchmarks.ranking.trained [--report]`.

The table of `python -m benchmarks.ranking` takes the head alone as the truth. Here, on a slice of it, the truth is the
held-out accuracy of `fit --freeze auto --budget 1m` from the same items: every image network as it is, on sets whose
items it may learn from are few. Each fit goes into benchmarks/results/ranking-trained.json as soon as it is done, so
the command can be stopped and called again (remove the file to start over); about twenty minutes. `--report` fits
nothing.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ranking import table
from benchmarks.ranking.evaluate import Pool, Quality, of_combination, of_score, pools, quality
from benchmarks.ranking.report import LABELS
from benchmarks.ranking.sets import IMAGE, RankingSet, read
from benchmarks.ranking.sources import ARCH, NAMES
from benchmarks.work import ROOT, SHARED, write_between
from headstart.choose.scores.combined import DEFAULT
from headstart.files import write_text

PATH = ROOT / "benchmarks" / "results" / "ranking-trained.json"
SLICE = ("hymenoptera", "chest_xray", "pacs art_painting")
SCORES = ("logme", "probe_loss", "parameters")
BUDGET = "1m"

Row = dict[str, Any]


def main() -> None:
    """Fit what is missing, print the table and write it down."""
    fitted: list[Row] = json.loads(PATH.read_text()) if PATH.exists() else []
    there = {(row["set"], row["source"]) for row in fitted}
    for each in IMAGE if "--report" not in sys.argv else ():
        for source in NAMES["image"] if each.name in SLICE else ():
            if (each.name, source) not in there:
                fitted.append(_fitted(each, source))
                write_text(PATH, json.dumps(fitted, indent=1) + "\n")
                print(fitted[-1], flush=True)
    report = text(table.load(), fitted)
    print(report)
    write_between("ranking-trained", report, "ranking.md")


def _fitted(of: RankingSet, source: str) -> Row:
    """What `fit --freeze auto` gives on the items of a set, in the split of the ranking."""
    import headstart

    with tempfile.TemporaryDirectory() as temporary:
        run = headstart.fit(
            _written(of, Path(temporary) / "items.csv"),
            str(SHARED / "weights" / source),
            arch=None if source not in ARCH else str(ROOT / ARCH[source]),
            target="label",
            group=None if of.group is None else "group",
            follow_outside=True,
            freeze="auto",
            budget=BUDGET,
            precision="fp32",
            baseline=False,
            report=False,
            export=False,
            store=str(Path(temporary) / "store"),
            out=Path(temporary) / "run",
        )
        metrics = run.metrics
    return {
        "set": of.name,
        "source": source,
        "accuracy": round(metrics["test"]["accuracy"]["value"], 5),
        "policy": metrics["chosen"]["policy"],
        "seconds": round(metrics["seconds"]["total"], 1),
    }


def _written(of: RankingSet, path: Path) -> Path:
    """A table of the items of a set with their split."""
    items = read(of)
    groups = np.arange(len(items.labels)) if items.groups is None else items.groups
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label", "split", "group"])
        for item, label, group, held_out in zip(items.items, items.labels, groups, items.test, strict=True):
            writer.writerow([str(item), label, "test" if held_out else "train", group])
    return path


def text(rows: list[Row], fitted: list[Row]) -> str:
    """Accuracy of the head alone and after training, and how well each order agrees with the latter."""
    whole = [row for row in rows if row["modality"] == "image" and not row["random"] and row["depth"] == 1]
    trained = {(row["set"], row["source"]): row for row in fitted}
    sets = [name for name in SLICE if sum(row["set"] == name for row in fitted) == len(NAMES["image"])]
    lines = [
        f"| network | {' | '.join(sets)} |",
        "|---|" + "---|" * len(sets),
    ]
    for source in NAMES["image"]:
        cells = []
        for name in sets:
            alone = next(row["truth"] for row in whole if (row["set"], row["source"]) == (name, source))
            found = trained[name, source]
            cells.append(f"{100 * alone:.1f}, {100 * found['accuracy']:.1f} ({found['policy']})")
        lines.append(f"| {source} | {' | '.join(cells)} |")
    lines += ["", "| order | 10 per class | 50 per class | all items |", "|---|---|---|---|"]
    judged: dict[str, list[tuple[Pool, Quality]]] = {name: [] for name in (*SCORES, "default", "head alone")}
    for name in sets:
        own = [row for row in whole if row["set"] == name]
        truth = np.array([trained[name, row["source"]]["accuracy"] for row in own])
        for pool in pools(own):
            after = Pool(pool.name, pool.family, pool.budget, truth, pool.scores)
            for score in SCORES:
                judged[score] += of_score([after], score)
            judged["default"] += of_combination([after], DEFAULT)
            judged["head alone"].append((after, quality(after, pool.truth)))
    labels = {**LABELS, "default": "the default", "head alone": "held-out accuracy of the head alone"}
    for name, found in judged.items():
        lines.append(
            f"| {labels[name]} | {' | '.join(_cell(found, budget) for budget in ('10', '50', 'all'))} |"
        )
    return "\n".join(lines)


def _cell(found: list[tuple[Pool, Quality]], budget: str) -> str:
    own = [each for pool, each in found if pool.budget == budget]
    return f"{np.mean([each.tau for each in own]):.3f}, {np.mean([each.regret for each in own]):.2f}"


if __name__ == "__main__":
    main()
