"""What the report says of probabilities where the truth is known, and the change of the log loss by a temperature."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.heads.calibrate import change_of_log_loss, log_losses
from headstart.metrics import Units, calibration_bins
from headstart.metrics.calibration import calibration_error
from headstart.report.pages.fit.notices import MISCALIBRATED, UNKNOWN

HEAT = {"calibrated": 1.0, "overconfident": 2.0}  # what the true scores are multiplied by
SIZES = ((20, 0), (40, 0), (80, 0), (150, 0), (1000, 0), (150, 5), (150, 20))
BEFORE = 0.1  # the plain calibration error that was warned of before
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
    warned, unknown, before, held = [], [], [], []
    for _ in range(n):
        scores, y, units = _draw(rng, cell)
        stated = _softmax(heat * scores)
        hit = (stated.argmax(axis=1) == y).astype(float)
        error = calibration_error(stated.max(axis=1), hit, Units.of(units, len(y)))
        warned.append(error.low is not None and error.low > MISCALIBRATED)
        unknown.append(error.low is None or (error.low == 0 and float(error.high or 0) > UNKNOWN))
        bins = calibration_bins(y, stated)
        before.append(sum(b.n_items * abs(b.confidence - b.accuracy) for b in bins) / len(y) > BEFORE)
        change = change_of_log_loss(heat * scores, np.full(len(y), temperature), y, units)[2]
        if change.low is not None and change.high is not None:
            held.append(change.low <= truth <= change.high)
    shares = {"before": before, "warned": warned, "unknown": unknown, "held": held}
    return {name: float(np.mean(each)) if each else None for name, each in shares.items()}


def _draw(rng: np.random.Generator, cell: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return true scores, classes drawn from them, and units, whose items are often right or wrong together."""
    n_items, n_units = cell["n_items"], cell["n_units"]
    units = np.arange(n_items) % n_units if n_units else None
    scores = 1.5 * rng.normal(size=(n_items, cell["n_classes"]))
    point = rng.random(n_items)
    if units is not None:
        point = np.where(rng.random(n_items) < 0.3, rng.random(n_units)[units], point)
    return scores, _drawn(_softmax(scores), point), units


def _drawn(p: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Return the class of each item; the smaller its number in [0, 1], the likelier the class."""
    order = np.argsort(-p, axis=1)
    rank = (np.take_along_axis(p, order, axis=1).cumsum(axis=1) < point[:, None]).sum(axis=1)
    return np.take_along_axis(order, np.minimum(rank, p.shape[1] - 1)[:, None], axis=1)[:, 0]


def _true_change(n_classes: int, heat: float, temperature: float) -> float:
    rng = np.random.default_rng(0)
    scores = 1.5 * rng.normal(size=(N_POPULATION, n_classes))
    y = _drawn(_softmax(scores), rng.random(N_POPULATION))
    return float((log_losses(heat / temperature * scores, y) - log_losses(heat * scores, y)).mean())


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def table(rows: list[dict[str, Any]]) -> str:
    """Return the notices and the coverage."""
    lines = [
        "| items, classes, model | warned before, % | warned, % | too few to tell, % | "
        "interval of the change holds the truth, % |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        units = f", {row['n_units']} units" if row["n_units"] else ""
        found = [row[key] for key in ("before", "warned", "unknown", "held")]
        shown = " | ".join("no interval" if each is None else f"{100 * each:.1f}" for each in found)
        lines.append(f"| {row['n_items']}{units}, {row['n_classes']}, {row['model']} | {shown} |")
    return "\n".join(lines)
