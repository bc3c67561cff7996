"""`--guard`: how often classical features take the place of a head that is as good, and of one that is worse.

Head and baseline are ridge classifiers on noisy copies of the same features, cross-validated on the same five folds.
The baseline takes the head's place if the interval of their paired difference, widened for folds, lies below 0. The
true difference is measured on 4,000 new items with both learned from all training items. With equal noise it is 0 on
average, but not in a single draw of training items: the gain where the baseline was returned is reported too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.evidence import compared, cross_validation_factor
from headstart.fitting.foreseen import standing_of
from headstart.metrics import Units

N_FEATURES, N_FOLDS, N_NEW = 20, 5, 4_000
OWN_NOISE = {
    "as good": 0.7,
    "a little better": 0.4,
    "better": 0.0,
}  # of the baseline; that of the head is 0.7


def cells() -> list[dict[str, Any]]:
    """Return the cells."""
    sizes = [(60, 0), (150, 0), (600, 0), (150, 10), (600, 20)]
    return [{"baseline": name, "n_items": n, "n_units": units} for name in OWN_NOISE for n, units in sizes]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return how often the baseline was returned, its true gain, and the gain where it was returned."""
    rng = np.random.default_rng(1)
    n_items, gains, replaced = cell["n_items"], [], []
    for _ in range(n):
        n_all = n_items + N_NEW
        y = rng.integers(0, 2, n_all)
        units = np.arange(n_items) % cell["n_units"] if cell["n_units"] else None
        shared = rng.normal(size=(n_all, N_FEATURES)) + np.where(y, 0.25, -0.25)[:, None]
        if units is not None:
            shared[:n_items] += 0.3 * rng.normal(size=(cell["n_units"], N_FEATURES))[units]
        sides = [
            shared + noise * rng.normal(size=shared.shape) for noise in (0.7, OWN_NOISE[cell["baseline"]])
        ]
        folds = np.arange(n_items) % N_FOLDS if units is None else units % N_FOLDS
        head, classical = (_left_out(side[:n_items], y[:n_items], folds) for side in sides)
        counted = Units.of(units, n_items, widen=cross_validation_factor(N_FOLDS))
        difference = compared(y[:n_items], head, classical, counted)
        replaced.append(standing_of(difference, "accuracy") == "worse")
        right = [
            (_scores(side[:n_items], y[:n_items], side[n_items:]) > 0) == (y[n_items:] == 1) for side in sides
        ]
        gains.append(float(right[1].mean() - right[0].mean()))
    taken = np.array(replaced)
    return {
        "returned": float(taken.mean()),
        "gain": float(np.mean(gains)),
        "gain_where_returned": float(np.mean(np.array(gains)[taken])) if taken.any() else None,
    }


def _left_out(x_ND: np.ndarray, y: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Probabilities of each item by a head fitted without its fold, of shape (N, 2)."""
    score = np.zeros(len(y))
    for fold in np.unique(folds):
        score[folds == fold] = _scores(x_ND[folds != fold], y[folds != fold], x_ND[folds == fold])
    p = 1 / (1 + np.exp(-3 * score))
    return np.stack([1 - p, p], axis=1)


def _scores(x_ND: np.ndarray, y: np.ndarray, new_MD: np.ndarray) -> np.ndarray:
    """Scores of new items by a ridge head, of shape (M,)."""
    target, middle = np.where(y == 1, 1.0, -1.0), x_ND.mean(axis=0)
    gram = (x_ND - middle).T @ (x_ND - middle)
    penalty = 0.1 * np.trace(gram) / N_FEATURES * np.eye(N_FEATURES)
    weight = np.linalg.solve(gram + penalty, (x_ND - middle).T @ (target - target.mean()))
    return np.asarray((new_MD - middle) @ weight + target.mean())


def table(rows: list[dict[str, Any]]) -> str:
    """Return how often the baseline was returned, and what that gained."""
    lines = [
        "| the baseline is | items, units | its true gain, points | returned, % | true gain where it was returned |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        units = f", {row['n_units']} units" if row["n_units"] else ""
        gain = row["gain_where_returned"]
        where = "" if gain is None else f"{100 * gain:+.1f}"
        lines.append(
            f"| {row['baseline']} | {row['n_items']}{units} | {100 * row['gain']:+.1f} | {100 * row['returned']:.1f} "
            f"| {where} |"
        )
    return "\n".join(lines)
