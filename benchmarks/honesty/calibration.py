"""The calibration error where the truth is known: its bias, and how often its interval holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax

from benchmarks.honesty.draws import plain_error, scored_items
from headstart.metrics import Units
from headstart.metrics.calibration import calibration_error

SIZES = (20, 40, 80, 150, 1000)
HEAT = {"calibrated": 1.0, "overconfident": 2.0}  # what the stated scores are multiplied by
N_POPULATION = 400_000


def cells() -> list[dict[str, Any]]:
    """Return the cells."""
    return [
        {"n_items": n, "n_units": units, "n_classes": classes, "model": model}
        for model in HEAT
        for n, units in [*((n, 0) for n in SIZES), (150, 5), (150, 20)]
        for classes in (2, 10)
    ]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return mean and coverage of n calibration errors, and the mean of the plain one of 15 bins."""
    rng, heat = np.random.default_rng(1), HEAT[cell["model"]]
    truth = _truth(cell, heat)
    errors, plain = [], []
    for _ in range(n):
        scores, y, units = scored_items(rng, cell["n_items"], cell["n_units"], cell["n_classes"])
        p = softmax(heat * scores, axis=1)
        hit = (p.argmax(axis=1) == y).astype(float)
        errors.append(calibration_error(p.max(axis=1), hit, Units.of(units, len(y))))
        plain.append(plain_error(y, p))
    shown = [found for found in errors if found.low is not None and found.high is not None]
    return {
        "truth": truth,
        "mean": float(np.mean([float(found) for found in errors])),
        "plain": float(np.mean(plain)),
        "holds": float(np.mean([found.low <= truth <= found.high for found in shown])),  # type: ignore[operator]
        "above_zero": float(np.mean([found.low > 0 for found in shown])),  # type: ignore[operator]
    }


def _truth(cell: dict[str, Any], heat: float) -> float:
    scores = 1.5 * np.random.default_rng(0).normal(size=(N_POPULATION, cell["n_classes"]))
    stated = softmax(heat * scores, axis=1).max(axis=1)
    gap = stated - softmax(scores, axis=1).max(axis=1)
    # Items of the same stated probability: their mean gap counts.
    number = np.digitize(stated, np.quantile(stated, np.linspace(0, 1, 201)[1:-1]))
    means = np.bincount(number, weights=gap) / np.bincount(number)
    return float(np.sqrt((np.bincount(number) * means**2).sum() / len(gap)))


def table(rows: list[dict[str, Any]]) -> str:
    """Return bias, coverage and false alarms."""
    lines = [
        "| items, classes, model | true error, points | mean of ours | mean of the plain one | holds the truth, % | "
        "begins above 0, % |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        units = f", {row['n_units']} units" if row["n_units"] else ""
        numbers = [100 * row[key] for key in ("truth", "mean", "plain", "holds", "above_zero")]
        shown = " | ".join(f"{number:.1f}" for number in numbers)
        lines.append(f"| {row['n_items']}{units}, {row['n_classes']}, {row['model']} | {shown} |")
    return "\n".join(lines)
