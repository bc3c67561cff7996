"""A result and a baseline that are equally good learners: what the verdict says if the baseline has fewer items.

Both are ridge classifiers, each on its own noisy copy of the same features, so that neither is better with equal items.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.evidence import judge

N_FEATURES = 40
SHARE = 0.85  # of the items, that the baseline learns from if it has fewer
FEWER, EQUAL = "fewer", "equal"


def cells() -> list[dict[str, Any]]:
    """Return the cells."""
    return [
        {"n_train": n_train, "n_test": n_test} for n_train in (60, 120, 300) for n_test in (40, 150, 1000)
    ]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return the mean difference and the verdicts of n simulations, with fewer and with equal items."""
    rng = np.random.default_rng(1)
    found: dict[str, list[tuple[float, str]]] = {FEWER: [], EQUAL: []}
    for _ in range(n):
        n_train = cell["n_train"]
        y = rng.integers(0, 2, n_train + cell["n_test"])
        shared = rng.normal(size=(len(y), N_FEATURES)) + np.where(y, 0.25, -0.25)[:, None]
        ours, theirs = (shared + 0.7 * rng.normal(size=shared.shape) for _ in range(2))
        result = _fitted(ours, y, np.arange(n_train), n_train)
        fewer = rng.permutation(n_train)[: round(SHARE * n_train)]
        for name, rows in ((FEWER, fewer), (EQUAL, np.arange(n_train))):
            verdict = judge(y[n_train:], result, _fitted(theirs, y, rows, n_train), against="classical")
            found[name].append((float(verdict.difference), verdict.outcome))
    return {
        f"{name}_{what}": value
        for name, each in found.items()
        for what, value in (
            ("difference", float(np.mean([difference for difference, _ in each]))),
            *(
                (outcome, float(np.mean([is_ == outcome for _, is_ in each])))
                for outcome in ("positive", "negative")
            ),
        )
    }


def _fitted(x_ND: np.ndarray, y: np.ndarray, rows: np.ndarray, n_train: int) -> np.ndarray:
    """Return scores of the held-out items as probabilities, of shape (N, 2), by a ridge head on some items."""
    x, target = x_ND[rows], np.where(y[rows], 1.0, -1.0)
    middle, mean = x.mean(axis=0), target.mean()
    gram = (x - middle).T @ (x - middle)
    weight = np.linalg.solve(
        gram + 0.1 * np.trace(gram) / N_FEATURES * np.eye(N_FEATURES), (x - middle).T @ (target - mean)
    )
    score = (x_ND[n_train:] - middle) @ weight + mean
    p = 1 / (1 + np.exp(-3 * score))
    return np.stack([1 - p, p], axis=1)


def table(rows: list[dict[str, Any]]) -> str:
    """Return mean differences and verdicts."""
    lines = [
        "| items learned from, held out | 85% of the items: mean difference, points | positive, % | negative, % | "
        "equal items: mean difference | positive, % | negative, % |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        numbers = [
            f"{100 * row[f'{name}_{what}']:+.1f}"
            if what == "difference"
            else f"{100 * row[f'{name}_{what}']:.1f}"
            for name in (FEWER, EQUAL)
            for what in ("difference", "positive", "negative")
        ]
        lines.append(f"| {row['n_train']}, {row['n_test']} | {' | '.join(numbers)} |")
    return "\n".join(lines)
