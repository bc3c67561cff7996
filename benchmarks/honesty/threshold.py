"""`--threshold`: what thresholds that were chosen on out-of-fold probabilities give on new items.

A logistic head on 20 features; 5 folds give the out-of-fold probabilities that choose the threshold, and the head of
all training items, which the run predicts with, meets 20,000 new items with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from headstart.evidence.threshold_rule import ThresholdRule

N_FEATURES, N_FOLDS, N_NEW = 20, 5, 20_000
RULES = ("recall=0.8", "recall=0.95", "precision=0.8", "precision=0.9")
STRENGTH = 0.5  # of each feature: an AUROC of 0.94 with unlimited labels


def cells() -> list[dict[str, Any]]:
    """Return the cells."""
    return [{"n_items": n, "share": share} for n in (40, 150, 1_000) for share in (0.5, 0.1)]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return, per rule, how often a threshold was found, and the mean of what it gives on new items."""
    rng = np.random.default_rng(1)
    found: dict[str, list[tuple[float, float]]] = {rule: [] for rule in RULES}
    for _ in range(n):
        x_ND, y = _drawn(rng, cell["n_items"], cell["share"])
        new_MD, truth = _drawn(rng, N_NEW, cell["share"])
        left_out, new = _probabilities(x_ND, y, new_MD)
        for rule in RULES:
            value = ThresholdRule.parse(f"class:{rule}").chosen(y == 1, left_out)
            if value is not None:
                called = new >= value
                precision = float((truth[called] == 1).mean()) if called.any() else np.nan
                found[rule].append((float(called[truth == 1].mean()), precision))
    result: dict[str, Any] = {}
    for rule, values in found.items():
        recall, precision = np.array(values).T if values else (np.array([np.nan]), np.array([np.nan]))
        result[rule] = {
            "found": len(values) / n,
            "recall": float(np.nanmean(recall)) if values else None,
            "precision": float(np.nanmean(precision)) if np.isfinite(precision).any() else None,
        }
    return result


def _drawn(rng: np.random.Generator, n_items: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, 20) and classes (N,), of which one has a share of the items; at least 5 of it."""
    y = (rng.random(n_items) < share).astype(int)
    y[:5], y[5:10] = 1, 0
    return rng.normal(size=(n_items, N_FEATURES)) + STRENGTH * y[:, None], y


def _probabilities(x_ND: np.ndarray, y: np.ndarray, new_MD: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the class: of each training item by a head without its fold, and of new items by the head of all."""
    folds, left_out = np.empty(len(y), int), np.empty(len(y))
    for name in (0, 1):  # every fold has both classes
        rows = np.flatnonzero(y == name)
        folds[rows] = np.arange(len(rows)) % N_FOLDS
    for fold in range(N_FOLDS):
        inside = folds != fold
        head = LogisticRegression(C=0.1).fit(x_ND[inside], y[inside])
        left_out[~inside] = head.predict_proba(x_ND[~inside])[:, 1]
    return left_out, LogisticRegression(C=0.1).fit(x_ND, y).predict_proba(new_MD)[:, 1]


def table(rows: list[dict[str, Any]]) -> str:
    """Return the mean recall or precision on new items, and how often a threshold was found."""
    lines = [
        f"| items, share of the class | {' | '.join(rule.replace('=', ' ') for rule in RULES)} |",
        "|---" * (len(RULES) + 1) + "|",
    ]
    for row in rows:
        cells = []
        for rule in RULES:
            goal = rule.partition("=")[0]
            mean = row[rule][goal]
            rarely = "" if row[rule]["found"] > 0.995 else f", found in {100 * row[rule]['found']:.0f}%"
            cells.append("none" if mean is None else f"{100 * mean:.1f}{rarely}")
        lines.append(f"| {row['n_items']:,}, {row['share']:.0%} | {' | '.join(cells)} |")
    return "\n".join(lines)
