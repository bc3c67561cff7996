"""How often the safe rule replaces source only, and what that gains: `python -m benchmarks.adapt_rule [--n 40]`.

Classes are normal, with one centre each; accuracy of source only is 75 to 90%. Three worlds:

    none     both domains alike: every replacement is false, and loses as much as the method is worse
    shares   the same features in each class, but class shares in the target fall from the first class to the last by
             8:1: aligning the domains is wrong
    moved    target features are shifted and scaled, each by its own amount: aligning is right

The rule takes the default unless its circular validation is behind that of source only by more than a margin; without a
margin it is always taken. What is lost or gained is the true accuracy on the target items. `adapt` looks for a shift
before: where none is found, and where class shares differ, it does not take this default at all.
"""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from benchmarks.work import ROOT, write_between
from headstart.adapt import Domains, Method, auto
from headstart.adapt.selectors import CIRCULAR, Comparison
from headstart.files import write_text
from headstart.heads.threads import single_threaded

RESULTS = ROOT / "benchmarks" / "results" / "adapt-rule.json"
MARGINS = {"always": np.inf, "veto at 2 points": auto.MARGIN, "veto at 0": 0.0}
N_SIMULATIONS, N_FEATURES, IMBALANCE = 40, 64, 8.0
APART = {2: 0.33, 7: 0.45}  # of class centres, in deviations per feature


def cells() -> list[dict[str, Any]]:
    """Return the cells."""
    return [
        {"world": world, "n_classes": n_classes, "n_items": n_items}
        for world, sizes in (("none", (40, 200, 1_000)), ("shares", (200, 1_000)), ("moved", (40, 200)))
        for n_classes in (2, 7)
        for n_items in sizes
    ]


def draw(cell: dict[str, Any], rng: np.random.Generator) -> tuple[Domains, np.ndarray]:
    """Return domains of one cell, and the true classes of the target items."""
    n_items, n_classes = cell["n_items"], cell["n_classes"]
    centres = APART[n_classes] * rng.normal(size=(n_classes, N_FEATURES)) / np.sqrt(2)
    shares = np.ones(n_classes)
    if cell["world"] == "shares":
        shares = IMBALANCE ** -(np.arange(n_classes) / (n_classes - 1))
    codes = np.arange(n_items) % n_classes
    truth = rng.choice(n_classes, n_items, p=shares / shares.sum())
    source, target = (centres[of] + rng.normal(size=(n_items, N_FEATURES)) for of in (codes, truth))
    if cell["world"] == "moved":
        target = target * np.exp(0.5 * rng.normal(size=N_FEATURES)) + 0.5 * rng.normal(size=N_FEATURES)
    return Domains(source.astype(np.float32), codes, target.astype(np.float32), n_classes), truth


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return what every margin gives."""
    rng = np.random.default_rng(11)
    accuracy, gains = [], []
    with single_threaded():
        for _ in range(n):
            domains, truth = draw(cell, rng)
            comparison = Comparison(domains)
            pair = [comparison.candidate(Method.parse(name)) for name in ("none", auto.ALIGNED)]
            right = [float((candidate.predicted_M == truth).mean()) for candidate in pair]
            lead = CIRCULAR.score(pair[1]) - CIRCULAR.score(pair[0])
            accuracy.append(right[0])
            gains.append([right[1] - right[0] if lead >= -margin else np.nan for margin in MARGINS.values()])
    found = np.array(gains)
    return {
        "accuracy": float(np.mean(accuracy)),
        "rules": {
            name: {
                "replaced": float(np.isfinite(gain).mean()),
                "gain": float(np.nan_to_num(gain).mean()),
                "harmed": float((np.nan_to_num(gain) < -0.01).mean()),
            }
            for name, gain in zip(MARGINS, found.T, strict=True)
        },
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return share replaced, mean gain in points, and share harmed by more than a point."""
    lines = [
        "Source only replaced in % / mean gain in points / harmed by more than a point in %.",
        "",
        f"| world, classes, items | source only | {' | '.join(MARGINS)} |",
        "|---|---|" + "---|" * len(MARGINS),
    ]
    for row in rows:
        told = [
            f"{100 * one['replaced']:.0f} / {100 * one['gain']:+.1f} / {100 * one['harmed']:.0f}"
            for one in row["rules"].values()
        ]
        what = f"{row['world']}, {row['n_classes']}, {row['n_items']:,}"
        lines.append(f"| {what} | {100 * row['accuracy']:.1f} | {' | '.join(told)} |")
    return "\n".join(lines)


def main() -> None:
    """Simulate, store and report."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # each process has one core
    asked = ArgumentParser(prog="python -m benchmarks.adapt_rule")
    asked.add_argument("--n", type=int, default=N_SIMULATIONS)
    options = asked.parse_args()
    made = cells()
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = pool.map(simulate, made, [options.n] * len(made))
        rows = [{**cell, **result} for cell, result in zip(made, found, strict=True)]
    if options.n >= N_SIMULATIONS:
        write_text(RESULTS, json.dumps(rows, indent=1) + "\n")
        write_between("adapt-rule", table(rows), "adapt_results.md")
    print(table(rows))


if __name__ == "__main__":
    main()
