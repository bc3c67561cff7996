"""How often `headstart evaluate` says that a run does better or worse on other items, where it does and does not.

The run's own items and the new ones are drawn apart from the same world, or from one in which the run is worse.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.honesty.draws import World
from headstart.evaluating.scoring import changes, outcome_of
from headstart.metrics import Units, class_metrics, value_metrics

COVERED = ("balanced_accuracy", "macro_f1", "auroc", "log_loss")
WORSE = 0.10
_NEVER = "-"


def cells() -> list[dict[str, Any]]:
    """Return the cells: own and new items of each size, alike and then worse; then a quantity."""
    single = [
        (20, 0, 20, 0),
        (40, 0, 40, 0),
        (40, 0, 300, 0),
        (300, 0, 40, 0),
        (150, 0, 150, 0),
        (1000, 0, 1000, 0),
    ]
    grouped = [(150, 3, 150, 3), (150, 5, 150, 5), (150, 5, 150, 20), (150, 10, 150, 10), (150, 20, 150, 20)]
    names = ("n_own", "n_own_units", "n_items", "n_units")
    sizes = [dict(zip(names, each, strict=True)) for each in (*single, *grouped)]
    classes = [
        {"task": "classes", **size, "positives": share, "separation": auroc, "worse": worse}
        for worse in (0.0, WORSE)
        for size in sizes
        for share, auroc in ((0.5, 0.8), (0.5, 0.97), (0.1, 0.9))
        if not worse or size["n_items"] >= 150
    ]
    values = [{"task": "quantity", **size, "worse": 0.0} for size in sizes]
    return [*classes, *values]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return the shares of each outcome, and how often the change of each metric covers 0 where it is 0."""
    rng = np.random.default_rng(7)
    outcomes: list[str] = []
    covered: dict[str, list[bool]] = {}
    for _ in range(n):
        own, new = _side(cell, rng, own=True), _side(cell, rng, own=False)
        found = changes(new, own, cell["n_items"], cell["n_own"])
        metric = "rmse" if cell["task"] == "quantity" else "accuracy"
        outcomes.append(outcome_of(metric, found.get(metric)))
        for name in COVERED:
            change = found.get(name)
            if change is not None and change.low is not None and change.high is not None:
                covered.setdefault(name, []).append(change.low <= 0 <= change.high)
    return {
        "better": outcomes.count("better") / n,
        "worse_said": outcomes.count("worse") / n,
        "covered": {name: float(np.mean(hits)) for name, hits in covered.items()},
    }


def _side(cell: dict[str, Any], rng: np.random.Generator, *, own: bool) -> dict[str, Any]:
    """The metrics of the run on its own items, or on new ones."""
    n_items, n_units = (cell["n_own"], cell["n_own_units"]) if own else (cell["n_items"], cell["n_units"])
    if cell["task"] == "quantity":
        units = np.arange(n_items) % n_units if n_units else None
        y = rng.normal(size=(n_items, 1))
        error = rng.normal(size=n_items)
        if units is not None:
            error += 0.5 * rng.normal(size=n_units)[units]
        return value_metrics(y, y + error[:, None], Units.of(units, n_items))
    drawn = World.of(cell).draw(rng, n_items, n_units)
    outputs = drawn.first
    if not own and cell["worse"]:
        # so many of the items answered rightly are turned that the accuracy falls by `worse`
        right = outputs.argmax(axis=1) == drawn.y
        turned = right & (rng.random(n_items) < cell["worse"] / max(float(right.mean()), cell["worse"]))
        outputs = np.where(turned[:, None], outputs[:, ::-1], outputs)
    return class_metrics(drawn.y, outputs, Units.of(drawn.units, n_items))


def table(rows: list[dict[str, Any]]) -> str:
    """Return outcomes and coverage in percent."""
    lines = [
        "| own items, new items, what | in truth | said better | said worse | covered: balanced accuracy | macro F1 | "
        "AUROC | log loss |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        sizes = ", ".join(
            f"{n_items}{f' in {n_units} units' if n_units else ''}"
            for n_items, n_units in ((row["n_own"], row["n_own_units"]), (row["n_items"], row["n_units"]))
        )
        is_quantity = row["task"] == "quantity"
        what = (
            "a quantity"
            if is_quantity
            else f"{row['positives']:.0%} positives, AUROC {row['separation']:.2f}"
        )
        truth = f"{100 * row['worse']:.0f} points worse" if row["worse"] else "alike"
        known = {} if row["worse"] else row["covered"]
        covered = " | ".join(f"{100 * known[name]:.1f}" if name in known else _NEVER for name in COVERED)
        said = f"{100 * row['better']:.1f} | {100 * row['worse_said']:.1f}"
        lines.append(f"| {sizes}, {what} | {truth} | {said} | {covered} |")
    return "\n".join(lines)
