"""A result and several baselines: what the verdict says if the best is taken there, or in training.

The baselines are equally good, or one of them is better than the others; the result is as good as the best of them.
Each item is got right with the same probability by all, with correlated noise. Before, the verdict took the baseline
with the highest accuracy on the held-out items; now the one with the highest cross-validated accuracy in training.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm

from headstart.evidence import best_on_folds, judge

ACCURACY, ALIKE, GAP = 0.8, 0.5, 0.03
HELD_OUT, TRAINING = "held_out", "training"  # where the best baseline is taken


def cells() -> list[dict[str, Any]]:
    """Return the cells."""
    return [
        {"n_train": n_train, "n_test": n_test, "n_baselines": k, "gap": gap}
        for gap in (0.0, GAP)
        for k in (2, 3)
        for n_train, n_test in ((60, 40), (200, 150), (1000, 150), (1000, 1000))
    ]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return the mean difference and the verdicts of n simulations, and how often the best baseline was taken."""
    rng = np.random.default_rng(1)
    names = [f"baseline {k}" for k in range(cell["n_baselines"])]
    shares = np.array([ACCURACY, ACCURACY, *(ACCURACY - cell["gap"] for _ in names[1:])])
    found: dict[str, list[tuple[float, str, bool]]] = {HELD_OUT: [], TRAINING: []}
    for _ in range(n):
        in_training, held_out = (_right(shares, cell[part], rng) for part in ("n_train", "n_test"))
        y = np.zeros(cell["n_test"], dtype=int)
        result, *baselines = (np.eye(2)[np.where(row, 0, 1)] for row in held_out)
        for name, rows in ((HELD_OUT, held_out), (TRAINING, in_training)):
            best = best_on_folds(dict(zip(names, rows[1:].mean(axis=1), strict=True)))
            verdict = judge(y, result, baselines[names.index(best)], against=best)
            found[name].append((float(verdict.difference), verdict.outcome, best == names[0]))
    return {
        f"{name}_{what}": value
        for name, each in found.items()
        for what, value in (
            ("difference", float(np.mean([difference for difference, _, _ in each]))),
            ("positive", float(np.mean([outcome == "positive" for _, outcome, _ in each]))),
            ("negative", float(np.mean([outcome == "negative" for _, outcome, _ in each]))),
            ("best", float(np.mean([best for _, _, best in each]))),
        )
    }


def _right(shares: np.ndarray, n_items: int, rng: np.random.Generator) -> np.ndarray:
    """Which items each classifier gets right, of shape (classifiers, n_items)."""
    shared, own = rng.normal(size=n_items), rng.normal(size=(len(shares), n_items))
    noise = ALIKE**0.5 * shared + (1 - ALIKE) ** 0.5 * own
    return np.asarray(noise < norm.ppf(shares)[:, None])


def table(rows: list[dict[str, Any]]) -> str:
    """Return mean differences and verdicts."""
    lines = [
        "| items learned from, held out; baselines | chosen on the held-out items: mean difference, points | "
        "positive, % | negative, % | "
        "chosen in training: mean difference | positive, % | negative, % | the better one taken, % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        numbers = [
            f"{100 * row[f'{name}_{what}']:{'+.1f' if what == 'difference' else '.1f'}}"
            for name in (HELD_OUT, TRAINING)
            for what in ("difference", "positive", "negative")
        ]
        kind = f"one {100 * row['gap']:.0f} points better" if row["gap"] else "equal"
        numbers.append(f"{100 * row['training_best']:.1f}" if row["gap"] else "")
        what = f"{row['n_train']}, {row['n_test']}; {row['n_baselines']}, {kind}"
        lines.append(f"| {what} | {' | '.join(numbers)} |")
    return "\n".join(lines)
