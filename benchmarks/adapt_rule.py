"""How often the safe rule replaces source only, and what that gains: `python -m benchmarks.adapt_rule [--n 40]`.

Classes are normal, with one centre each; accuracy of source only is 75 to 90%. Three worlds:

    none     both domains alike: every replacement is false, and loses as much as the method is worse
    shares   the same features in each class, but class shares in the target fall from the first class to the last by
             8:1: aligning the domains is wrong
    moved    target features are shifted and scaled, each by its own amount: aligning is right

The rule decides by circular validation with several margins, with and without the bound for chance. What is lost or
gained is the true accuracy on the target items.
"""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.work import ROOT
from headstart.adapt import Domains, Method
from headstart.adapt.rule import decide
from headstart.adapt.selectors import SELECTORS, Comparison, Measured
from headstart.files import write_text
from headstart.heads.threads import single_threaded

RESULTS = ROOT / "benchmarks" / "results" / "adapt-rule.json"
CANDIDATES = ("standardise", "coral", "linear-ot", "infomax", "standardise+infomax")
MEASURED = ("circular",)
MARGINS, MARGINS_BESIDE = (0.0, 0.01, 0.02, 0.05), (0.0, 0.01, 0.02)  # alone; with the bound for chance
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


def simulate(cell: dict[str, Any], n: int, methods: tuple[str, ...]) -> dict[str, Any]:
    """Return what every selector and margin gives."""
    rng = np.random.default_rng(11)
    names = ("none", *methods)
    gains: dict[str, list[float]] = {}
    accuracy = []
    with single_threaded():
        for _ in range(n):
            domains, truth = draw(cell, rng)
            comparison = Comparison(domains)
            candidates = [comparison.candidate(Method.parse(name)) for name in names]
            right = [float((candidate.predicted_M == truth).mean()) for candidate in candidates]
            accuracy.append(right)
            for name in MEASURED:
                measured = [SELECTORS[name].measure(candidate) for candidate in candidates]
                for key, index in _decisions(name, names, measured).items():
                    gains.setdefault(key, []).append(right[index] - right[0] if index else np.nan)
    found = {
        key: {
            "replaced": float(np.isfinite(gain).mean()),
            "gain": float(np.nan_to_num(gain).mean()),
            "harmed": float((np.nan_to_num(gain) < -0.01).mean()),
        }
        for key, gain in gains.items()
    }
    best = np.max(accuracy, axis=1) - np.array(accuracy)[:, 0]
    means = np.mean(accuracy, axis=0) - np.mean(accuracy, axis=0)[0]
    return {
        "accuracy": float(np.mean(accuracy, axis=0)[0]),
        "best": float(best.mean()),
        "gains": dict(zip(names[1:], means[1:].round(4).tolist())),
        "rules": found,
    }


def _decisions(name: str, names: tuple[str, ...], measured: list[Measured]) -> dict[str, int]:
    """Return the method taken with each margin, with and without the bound for chance."""
    plain = [replace(found, items_N=None) for found in measured]
    return {
        f"{name} {margin:g}{'' if used is plain else ' and chance'}": decide(
            SELECTORS[name], names, used, margin=margin
        ).index
        for used, margins in ((plain, MARGINS), (measured, MARGINS_BESIDE))
        for margin in margins
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return share replaced, mean gain in points, and share harmed by more than a point."""
    lines = []
    for name in MEASURED:
        rules = {f"margin {100 * margin:g}": f"{name} {margin:g}" for margin in MARGINS}
        rules |= {
            f"{100 * margin:g} and chance": f"{name} {margin:g} and chance" for margin in MARGINS_BESIDE
        }
        lines += [
            f"{SELECTORS[name].label}: source only replaced in % / mean gain in points / harmed by more than a "
            "point in %.",
            "",
            f"| world, classes, items | source only | best | {' | '.join(rules)} |",
            "|---|---|---|" + "---|" * len(rules),
            *(_line(row, list(rules.values())) for row in rows),
            "",
        ]
    return "\n".join(lines)


def _line(row: dict[str, Any], rules: list[str]) -> str:
    found = [row["rules"][rule] for rule in rules]
    told = [
        f"{100 * one['replaced']:.0f} / {100 * one['gain']:+.1f} / {100 * one['harmed']:.0f}" for one in found
    ]
    what = f"{row['world']}, {row['n_classes']}, {row['n_items']:,}"
    return f"| {what} | {100 * row['accuracy']:.1f} | {100 * row['best']:+.1f} | {' | '.join(told)} |"


def main() -> None:
    """Simulate, store and report."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # each process has one core
    asked = ArgumentParser(prog="python -m benchmarks.adapt_rule")
    asked.add_argument("--n", type=int, default=N_SIMULATIONS)
    asked.add_argument("--methods", nargs="*", default=CANDIDATES)
    options = asked.parse_args()
    made, methods = cells(), tuple(options.methods)
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = pool.map(simulate, made, [options.n] * len(made), [methods] * len(made))
        rows = [{**cell, **result} for cell, result in zip(made, found, strict=True)]
    if options.n >= N_SIMULATIONS and methods == CANDIDATES:
        write_text(RESULTS, json.dumps(rows, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
