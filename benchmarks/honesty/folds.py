"""How often the interval of a cross-validated accuracy holds the accuracy of the procedure on new items.

The procedure is a ridge head on D features; five of them tell the two classes apart, with a distance that is 0 for
noise. Units shift all features. The truth is the mean accuracy on new items, from new units, of the heads of all
simulated data sets. The interval is accuracy +- t * standard error * factor over units.

Legend: N items, D features, K folds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import t

from headstart.evidence import cross_validation_factor
from headstart.metrics.spread import freedom, standard_error

N_NEW, N_NEW_UNITS = 1000, 250
N_TELLING = 5
PENALTY = 10.0


def cells() -> list[dict[str, Any]]:
    """Return the cells: sizes, features, units and distances of the classes for five folds; then other folds."""
    sizes = [(40, 5, 0), (40, 100, 0), (150, 5, 0), (150, 100, 0), (150, 500, 0), (1000, 20, 0)]
    sizes += [(100, 10, 5), (100, 100, 5), (200, 10, 10), (200, 100, 10), (200, 10, 20), (200, 100, 20)]
    made = [
        {"n_items": n, "n_features": width, "n_units": units, "distance": distance, "n_folds": 5}
        for n, width, units in sizes
        for distance in (0.0, 1.0, 2.5)
    ]
    other = [
        {"n_items": 150, "n_features": width, "n_units": 0, "distance": 2.5, "n_folds": n_folds}
        for n_folds in (2, 3, 10)
        for width in (5, 100)
    ]
    return [*made, *other]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return the accuracy, the truth, how far apart they are in standard errors, and the coverage with each factor."""
    rng = np.random.default_rng(4)
    found = np.array([_cross_validated(cell, rng) for _ in range(n)])
    accuracy, error, reach = found[:, 0], found[:, 1], found[:, 2]
    truth = float(found[:, 3].mean())
    n_folds = cell["n_folds"]
    factors = {
        "plain": 1.0,
        "widened": cross_validation_factor(n_folds),
        "nadeau": float(np.sqrt(1 + n_folds / (n_folds - 1))),
    }
    coverage = {
        name: float(np.mean(np.abs(accuracy - truth) <= reach * error * by + 1e-12))
        for name, by in factors.items()
    }
    return {
        "accuracy": float(accuracy.mean()),
        "truth": truth,
        "ratio": float(accuracy.std() / np.sqrt(np.square(error).mean())),
        **coverage,
    }


def _cross_validated(cell: dict[str, Any], rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Return accuracy, standard error, t quantile, and the accuracy of one of the heads on new items."""
    n_folds, n_units = cell["n_folds"], cell["n_units"]
    x_ND, y, units = _draw(cell, cell["n_items"], n_units, rng)
    folds = _folds(y, n_folds, rng) if units is None else (rng.permutation(n_units) % n_folds)[units]
    right = np.zeros(len(y))
    for fold in range(n_folds):
        out = folds == fold
        head = _ridge(x_ND[~out], y[~out])
        right[out] = _right(head, x_ND[out], y[out])
    new, wanted, _ = _draw(cell, N_NEW, N_NEW_UNITS if n_units else 0, rng)
    reach = float(t.ppf(0.975, freedom(units, len(y))))
    return float(right.mean()), standard_error(right, units), reach, float(_right(head, new, wanted).mean())


def _draw(
    cell: dict[str, Any], n_items: int, n_units: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return features, classes 0 and 1, and units or None."""
    y = np.arange(n_items) % 2
    x_ND = rng.normal(size=(n_items, cell["n_features"]))
    x_ND[:, :N_TELLING] += cell["distance"] / np.sqrt(N_TELLING) * (y[:, None] - 0.5)
    if not n_units:
        return x_ND, y, None
    units = np.arange(n_items) // 2 % n_units
    return x_ND + 0.5 * rng.normal(size=(n_units, cell["n_features"]))[units], y, units


def _folds(y: np.ndarray, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """Return stratified folds."""
    folds = np.zeros(len(y), dtype=int)
    for code in (0, 1):
        rows = rng.permutation(np.flatnonzero(y == code))
        folds[rows] = np.arange(len(rows)) % n_folds
    return folds


def _ridge(x_ND: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return weights, means of the features and the mean of the classes."""
    mean, centre = x_ND.mean(axis=0), float(y.mean())
    x_ND, y = x_ND - mean, y - centre
    n_items, width = x_ND.shape
    if width < n_items:
        weight = np.linalg.solve(x_ND.T @ x_ND + PENALTY * np.eye(width), x_ND.T @ y)
    else:
        weight = x_ND.T @ np.linalg.solve(x_ND @ x_ND.T + PENALTY * np.eye(n_items), y)
    return weight, mean, centre


def _right(head: tuple[np.ndarray, np.ndarray, float], x_ND: np.ndarray, y: np.ndarray) -> np.ndarray:
    weight, mean, centre = head
    return np.asarray(((x_ND - mean) @ weight + centre > 0.5) == y)


def table(rows: list[dict[str, Any]]) -> str:
    """Return coverage in percent."""
    lines = [
        "| items, features, units | folds | accuracy | true error / standard error | plain | widened | "
        "Nadeau and Bengio |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        units = f", {row['n_units']} units" if row["n_units"] else ""
        shares = " | ".join(f"{100 * row[name]:.1f}" for name in ("plain", "widened", "nadeau"))
        lines.append(
            f"| {row['n_items']}, {row['n_features']}{units} | {row['n_folds']} | {100 * row['truth']:.0f}% | "
            f"{row['ratio']:.2f} | {shares} |"
        )
    return "\n".join(lines)
