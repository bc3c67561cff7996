"""How often `headstart calibrate` corrects a run that is right, and what its corrections do on items of the same kind.

A run states probabilities of new items; the truth is drawn from the right ones. The true log loss is that on fresh
items, computed from their right probabilities, so that only the fit and the choice vary.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax

from benchmarks.honesty.draws import drawn_class, scored_items
from headstart.calibrating.choosing import SMALL_GAIN, choose
from headstart.heads.correction import scores_of
from headstart.metrics import Units
from headstart.tasks import CLASSIFICATION

SIZES = (20, 40, 150, 1000)
CLASSES = (2, 5, 20)
WORLDS = {
    "right": "right already",
    "overconfident": "overconfident (temperature 2)",
    "shares": "classes of other shares",
}
SURE = 2.0  # the standard deviation of the scores in the cells of surer runs
HEAT = 2.0  # what the scores of the overconfident run are multiplied by
SPREAD = 1.0  # of the logarithms of the factors by which the shares of the classes change
N_FRESH = 2_000


def cells() -> list[dict[str, Any]]:
    """Return the cells: every world, number of classes and of items; then items in groups, and surer runs."""
    single = [
        {"world": world, "n_classes": n_classes, "n_items": n_items, "n_units": 0}
        for world in WORLDS
        for n_classes in CLASSES
        for n_items in SIZES
    ]
    grouped = [
        {"world": world, "n_classes": 5, "n_items": 150, "n_units": n_units}
        for world in ("right", "overconfident")
        for n_units in (5, 20)
    ]
    surer = [
        {"world": world, "n_classes": 2, "n_items": 40, "n_units": 0, "spread": SURE}
        for world in ("right", "overconfident")
    ]
    return [*single, *grouped, *surer]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return the shares of each outcome, the mean true log loss without and with what was chosen, and its change."""
    rng, task = np.random.default_rng(3), CLASSIFICATION
    before, after, best, outcomes, reported = [], [], [], [], []
    for seed in range(n):
        weights_C = np.exp(SPREAD * rng.normal(size=cell["n_classes"])) if cell["world"] == "shares" else None
        stated_NC, y, units = _items(rng, cell, weights_C)
        choice = choose(task, stated_NC, y, Units.of(units, len(y)), seed=seed)
        fresh_NC, right_NC = _fresh(rng, cell, weights_C)
        scores_NC = scores_of(task, fresh_NC)
        before.append(_true_loss(scores_NC, right_NC))
        best.append(float(-(right_NC * np.log(right_NC)).sum(axis=1).mean()))
        after.append(before[-1])
        if choice.chosen is not None:
            after[-1] = _true_loss(choice.chosen.correction.scores(scores_NC), right_NC)
        reported.append(np.nan if choice.chosen is None else float(choice.chosen.change))
        outcomes.append("right" if choice.is_right else "" if choice.chosen is None else choice.chosen.name)
    change, said_right = np.array(after) - np.array(before), np.array(outcomes) == "right"
    corrected = np.isfinite(reported)
    return {
        "temperature": outcomes.count("temperature") / n,
        "biases": outcomes.count("temperature and biases") / n,
        "said_right": float(said_right.mean()),
        "wrongly_right": float(np.mean(said_right & (np.array(before) - np.array(best) > SMALL_GAIN))),
        "best": float(np.mean(best)),
        "before": float(np.mean(before)),
        "after": float(np.mean(after)),
        "reported": float(np.array(reported)[corrected].mean()) if corrected.any() else None,
        "change": float(change[corrected].mean()) if corrected.any() else None,
        "worse": float((change > 0).mean()),
        "worst": float(change.max()),
    }


def _items(
    rng: np.random.Generator, cell: dict[str, Any], weights_C: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """What the run states for labelled items, their classes and units."""
    n_items, n_classes = cell["n_items"], cell["n_classes"]
    if weights_C is None:
        scores, y, units = scored_items(rng, n_items, cell["n_units"], n_classes, cell.get("spread", 1.5))
        return _stated(cell, scores), y, units
    scores, y = _accepted(rng, weights_C, n_items)
    return _stated(cell, scores), y, None


def _fresh(
    rng: np.random.Generator, cell: dict[str, Any], weights_C: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """What the run states for fresh items, and their right probabilities."""
    n_classes = cell["n_classes"]
    if weights_C is None:
        scores = cell.get("spread", 1.5) * rng.normal(size=(N_FRESH, n_classes))
        return _stated(cell, scores), softmax(scores, axis=1)
    scores, _ = _accepted(rng, weights_C, N_FRESH)
    right = softmax(scores, axis=1) * weights_C
    return _stated(cell, scores), right / right.sum(axis=1, keepdims=True)


def _accepted(rng: np.random.Generator, weights_C: np.ndarray, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and classes of items where each class is as much likelier as its weight says, by rejection."""
    found: list[tuple[np.ndarray, np.ndarray]] = []
    while sum(len(y) for _, y in found) < n_items:
        scores = 1.5 * rng.normal(size=(4 * n_items, len(weights_C)))
        y = drawn_class(softmax(scores, axis=1), rng.random(len(scores)))
        kept = rng.random(len(y)) < weights_C[y] / weights_C.max()
        found.append((scores[kept], y[kept]))
    scores, y = (np.concatenate(parts)[:n_items] for parts in zip(*found, strict=True))
    return scores, y


def _stated(cell: dict[str, Any], scores: np.ndarray) -> np.ndarray:
    return np.asarray(softmax((HEAT if cell["world"] == "overconfident" else 1.0) * scores, axis=1))


def _true_loss(scores_NC: np.ndarray, right_NC: np.ndarray) -> float:
    """The expected log loss of scores, given the right probabilities."""
    shifted = scores_NC - scores_NC.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-(right_NC * log_p).sum(axis=1).mean())


def table(rows: list[dict[str, Any]]) -> str:
    """Return outcomes in percent, and true log loss."""
    lines = [
        "| the run is | classes, items | corrected by temperature, % | and biases, % | called right, % | wrongly, % "
        "| true log loss as it was | returned | best | change if corrected, reported | true | made worse, % "
        "| by at most |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        units = f" in {row['n_units']} groups" if row["n_units"] else ""
        sure = f", scores of sd {row['spread']:g}" if "spread" in row else ""
        shares = " | ".join(
            f"{100 * row[key]:.1f}" for key in ("temperature", "biases", "said_right", "wrongly_right")
        )
        losses = " | ".join(f"{row[key]:.3f}" for key in ("before", "after", "best"))
        changes = " | ".join(
            "-" if row[key] is None else f"{row[key]:+.3f}" for key in ("reported", "change")
        )
        worse = f"{100 * row['worse']:.1f} | {max(0.0, row['worst']):.3f}"
        what = f"{WORLDS[row['world']]} | {row['n_classes']}, {row['n_items']:,}{units}{sure}"
        lines.append(f"| {what} | {shares} | {losses} | {changes} | {worse} |")
    return "\n".join(lines)
