"""How often the predicted interval of a ranking holds the held-out result: `python -m benchmarks.ranking.coverage`.

From each set of `benchmarks.ranking`, parts are drawn to learn from and to hold out (a third as many items; groups
stay together). Every source is cross-validated on the first part, as `headstart rank` does it, and the head that was
chosen is measured on the second. "First" is the source with the highest cross-validated accuracy.
"""

from __future__ import annotations

import json
import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.ranking.sets import SETS, Items, RankingSet, read
from benchmarks.ranking.sources import ARCH, NAMES, extract
from benchmarks.work import ROOT, SHARED, write_between
from headstart.choose import choose_head
from headstart.choose.places import place
from headstart.data.splits import holdout_indices
from headstart.errors import DataError
from headstart.evidence import cross_validation_factor
from headstart.features import Features
from headstart.files import write_text
from headstart.ranking.predicted import HeldOut, usual
from headstart.sources import load_source
from headstart.tasks import CLASSIFICATION

SIZES, N_SEEDS = (60, 240), 3
RESULTS = ROOT / "benchmarks" / "results" / "ranking-coverage.json"
Row = dict[str, object]


def main() -> None:
    """Measure every set, and write the table of docs/ranking.md."""
    rows: list[Row] = []
    for of in (each for sets in SETS.values() for each in sets):
        items = read(of)
        features = [_features(name, items) for name in NAMES[items.modality]]
        for size in SIZES:
            for seed in range(1 if "--small" in sys.argv else N_SEEDS):
                rows += _measured(of, items, features, size, seed)
        print(f"{of.name}: {len(rows)} rows", flush=True)
    print(table(rows))
    if "--small" not in sys.argv:
        write_text(RESULTS, json.dumps(rows) + "\n")
        write_between("ranking-coverage", table(rows), "ranking.md")


def _features(name: str, items: Items) -> Features:
    arch = None if name not in ARCH else str(ROOT / ARCH[name])
    return extract(load_source(str(SHARED / "weights" / name), arch=arch, modality=items.modality), items)


def _measured(of: RankingSet, items: Items, features: list[Features], size: int, seed: int) -> list[Row]:
    """One row per source for one draw; none if the set is too small for it."""
    codes = np.unique(items.labels, return_inverse=True)[1]
    try:
        rest, train = holdout_indices(codes, items.groups, size / len(codes), seed)
        share = min(0.9, size / 3 / len(rest))
        _, test = holdout_indices(
            codes[rest], None if items.groups is None else items.groups[rest], share, seed
        )
        test = rest[test]
        labels = items.labels.astype(object)
        groups = None if items.groups is None else items.groups[train]
        choices = [choose_head(each.take(train), labels[train], groups, n_threads=1) for each in features]
    except DataError:
        return []
    if not all(len(choice.positions) for choice in choices):
        return []
    quality = np.stack(
        [
            (np.array(choice.classes, dtype=object)[choice.out_of_fold.argmax(axis=1)] == labels[train]) - 0.0
            for choice in choices
        ],
        axis=1,
    )
    optimism = quality.mean(axis=0) - [choice.expected for choice in choices]
    widen = cross_validation_factor(choices[0].n_folds)
    found = place(quality, groups, step=1.0, widen=widen)
    parts = HeldOut.of(
        groups,
        len(train),
        widen=widen,
        held_out_units=None if items.groups is None else items.groups[test],
        n_held_out=len(test),
    )
    variances = [parts.variances(column, CLASSIFICATION) for column in quality.T]
    rows: list[Row] = []
    for number, (choice, its) in enumerate(zip(choices, features)):
        vectors = its.take(test).stacked(choice.head.stages)
        result = float((choice.head.predict(vectors) == labels[test]).mean())
        own = variances[number].at_least(usual(variances))
        predicted = parts.result(float(found.expected[number] - optimism[number]), own, CLASSIFICATION)
        rows.append(
            {
                "set": of.name,
                "grouped": items.groups is not None,
                "n_train": len(train),
                "size": size,
                "source": number,
                "first": bool(found.order[0] == number),
                "selected": float(quality[:, number].mean()),
                "predicted": predicted.value,
                "low": predicted.low,
                "high": predicted.high,
                "result": result,
            }
        )
    return rows


def table(rows: list[Row]) -> str:
    """The share of held-out results inside the interval, and mean errors in points."""
    lines = [
        "| items | sources | cases | with an interval | inside | first: cases | inside | first, cross-validated minus "
        "held out | predicted minus held out |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for size in SIZES:
        for grouped in (False, True):
            own = [row for row in rows if row["size"] == size and row["grouped"] == grouped]
            if own:
                kind = "in groups" if grouped else "single items"
                lines.append(f"| about {size} | {kind} | {_cells(own)} |")
    lines.append(f"| all | | {_cells(rows)} |")
    return "\n".join(lines)


def _cells(rows: list[Row]) -> str:
    known = [row for row in rows if row["low"] is not None]
    first = [row for row in known if row["first"]]
    errors = [
        np.mean([float(row[name]) - float(row["result"]) for row in first])
        for name in ("selected", "predicted")  # type: ignore[arg-type]
    ]
    cells = [len(rows), len(known), _share(known), len(first), _share(first)]
    return " | ".join([*map(str, cells), *(f"{100 * error:+.1f}" for error in errors)])


def _share(rows: list[Row]) -> str:
    inside = [float(row["low"]) - 1e-9 <= float(row["result"]) <= float(row["high"]) + 1e-9 for row in rows]  # type: ignore[arg-type]
    return f"{100 * np.mean(inside):.1f}%" if inside else ""


if __name__ == "__main__":
    main()
