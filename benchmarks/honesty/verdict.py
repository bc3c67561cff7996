"""How often the verdict calls chance a difference, and how often it finds a true one, beside a percentile bootstrap."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.honesty.draws import Draw, World
from headstart.evidence import judge
from headstart.tasks import REGRESSION

N_RESAMPLES = 400  # of the bootstrap it is compared with
GAIN = 0.05


def cells() -> list[dict[str, Any]]:
    """Return the cells: no difference, then a difference of 5 points; then a quantity without a difference."""
    sizes = [(n, 0) for n in (10, 20, 40, 150, 1000)] + [(150, units) for units in (2, 3, 5, 10, 20)]
    classes = [
        {
            "task": "classes",
            "n_items": n,
            "n_units": units,
            "positives": share,
            "separation": auroc,
            "gain": gain,
            "alike": 0.8,
        }
        for gain in (0.0, GAIN)
        for n, units in sizes
        for share, auroc in ((0.5, 0.8), (0.5, 0.97), (0.1, 0.9))
        if not gain or n >= 150
    ]
    values = [
        {"task": "quantity", "n_items": n, "n_units": units, "gain": 0.0}
        for n, units in [(n, 0) for n in (10, 20, 40, 150)] + [(150, units) for units in (3, 5, 10, 20)]
    ]
    return [*classes, *values]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return the shares of verdicts for and against the result, and those of a percentile bootstrap."""
    rng = np.random.default_rng(1)
    told, before = [], []
    for _ in range(n):
        if cell["task"] == "quantity":
            outcome, differences, units = _of_values(cell, rng)
        else:
            outcome, differences, units = _of_classes(cell, rng)
        told.append(outcome)
        before.append(_by_bootstrap(differences, units, rng) if n <= 500 or len(before) < 500 else None)
    known = [found for found in before if found is not None]
    return {
        "positive": told.count("positive") / n,
        "negative": told.count("negative") / n,
        "bootstrap": float(np.mean([found != 0 for found in known])),
    }


def _of_classes(cell: dict[str, Any], rng: np.random.Generator) -> tuple[str, np.ndarray, np.ndarray | None]:
    drawn = World.of(cell).draw(rng)
    first = _corrected(drawn, cell["gain"], rng)
    outcome = judge(drawn.y, first, drawn.second, drawn.units, against="classical").outcome
    right = [side.argmax(axis=1) == drawn.y for side in (first, drawn.second)]
    return outcome, right[0].astype(float) - right[1], drawn.units


def _corrected(drawn: Draw, gain: float, rng: np.random.Generator) -> np.ndarray:
    """Probabilities of the first classifier with some of its errors turned, so that it gains accuracy."""
    if not gain:
        return drawn.first
    wrong = drawn.first.argmax(axis=1) != drawn.y
    turned = wrong & (rng.random(len(wrong)) < gain / max(gain, float(wrong.mean())))
    return np.where(turned[:, None], drawn.first[:, ::-1], drawn.first)


def _of_values(cell: dict[str, Any], rng: np.random.Generator) -> tuple[str, np.ndarray, np.ndarray | None]:
    n_items, n_units = cell["n_items"], cell["n_units"]
    units = np.arange(n_items) % n_units if n_units else None
    y = rng.normal(size=(n_items, 1))
    sides = []
    shared = rng.normal(size=n_items)
    for _ in range(2):
        error = 0.7 * shared + 0.7 * rng.normal(size=n_items)
        if units is not None:
            error += 0.5 * rng.normal(size=n_units)[units]
        sides.append(y + error[:, None])
    outcome = judge(y, sides[0], sides[1], units, against="classical", task=REGRESSION).outcome
    squares = [np.square(side - y)[:, 0] for side in sides]
    return outcome, squares[0] - squares[1], units


def _by_bootstrap(differences: np.ndarray, units: np.ndarray | None, rng: np.random.Generator) -> int:
    """Return the sign of the difference if the percentile interval of whole units does not contain 0, else 0."""
    numbers = np.arange(len(differences)) if units is None else units
    n_units = int(numbers.max()) + 1
    sums = np.bincount(numbers, weights=differences, minlength=n_units)
    sizes = np.bincount(numbers, minlength=n_units)
    drawn = rng.integers(0, n_units, (N_RESAMPLES, n_units))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return int(low > 0) - int(high < 0)


def table(rows: list[dict[str, Any]]) -> str:
    """Return false alarms and power in percent."""
    lines = [
        "| items, units, what | true difference | positive | negative | both | percentile bootstrap |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        units = f", {row['n_units']} units" if row["n_units"] else ""
        what = (
            "a quantity"
            if row["task"] == "quantity"
            else f"{row['positives']:.0%} positives, AUROC {row['separation']:.2f}"
        )
        shares = [row["positive"], row["negative"], row["positive"] + row["negative"], row["bootstrap"]]
        truth = f"about {100 * row['gain']:.0f} points" if row["gain"] else "none"
        cells_ = " | ".join(f"{100 * share:.1f}" for share in shares)
        lines.append(f"| {row['n_items']}{units}, {what} | {truth} | {cells_} |")
    return "\n".join(lines)
