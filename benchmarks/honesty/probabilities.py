"""What the report says of probabilities where the truth is known, and the change of the log loss by a temperature."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax

from benchmarks.honesty.draws import drawn_class, plain_error, scored_items
from headstart.heads.calibrate import change_of_log_loss, log_losses
from headstart.metrics import Units
from headstart.metrics.calibration import calibration_error
from headstart.report.items.calibration import MISCALIBRATED, UNKNOWN

HEAT = {"calibrated": 1.0, "overconfident": 2.0}  # what the true scores are multiplied by
SIZES = ((20, 0), (40, 0), (80, 0), (150, 0), (1000, 0), (150, 5), (150, 20))
PLAIN = 0.1  # plain calibration error, above which a rule without an interval would warn
N_POPULATION = 400_000


def cells() -> list[dict[str, Any]]:
    """Return the cells."""
    return [
        {"model": model, "n_items": n_items, "n_units": n_units, "n_classes": n_classes}
        for model in HEAT
        for n_items, n_units in SIZES
        for n_classes in (2, 10)
    ]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return how often each notice came in n simulations, and how often the interval of the change held the truth."""
    rng, heat = np.random.default_rng(1), HEAT[cell["model"]]
    temperature = heat if heat > 1 else 1.25
    truth = _true_change(cell["n_classes"], heat, temperature)
    warned, unknown, plain, held = [], [], [], []
    for _ in range(n):
        scores, y, units = scored_items(rng, cell["n_items"], cell["n_units"], cell["n_classes"])
        stated = softmax(heat * scores, axis=1)
        hit = (stated.argmax(axis=1) == y).astype(float)
        error = calibration_error(stated.max(axis=1), hit, Units.of(units, len(y)))
        warned.append(error.low is not None and error.low > MISCALIBRATED)
        unknown.append(error.low is None or (error.low == 0 and float(error.high or 0) > UNKNOWN))
        plain.append(plain_error(y, stated) > PLAIN)
        change = change_of_log_loss(heat * scores, np.full(len(y), temperature), y, units)[2]
        if change.low is not None and change.high is not None:
            held.append(change.low <= truth <= change.high)
    shares = {"plain": plain, "warned": warned, "unknown": unknown, "held": held}
    return {name: float(np.mean(each)) if each else None for name, each in shares.items()}


def _true_change(n_classes: int, heat: float, temperature: float) -> float:
    rng = np.random.default_rng(0)
    scores = 1.5 * rng.normal(size=(N_POPULATION, n_classes))
    y = drawn_class(softmax(scores, axis=1), rng.random(N_POPULATION))
    return float((log_losses(heat / temperature * scores, y) - log_losses(heat * scores, y)).mean())


def table(rows: list[dict[str, Any]]) -> str:
    """Return the notices and the coverage."""
    lines = [
        "| items, classes, model | plain error above 10 points, % | warned, % | too few to tell, % | "
        "interval of the change holds the truth, % |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        units = f", {row['n_units']} units" if row["n_units"] else ""
        found = [row[key] for key in ("plain", "warned", "unknown", "held")]
        shown = " | ".join("no interval" if each is None else f"{100 * each:.1f}" for each in found)
        lines.append(f"| {row['n_items']}{units}, {row['n_classes']}, {row['model']} | {shown} |")
    return "\n".join(lines)
