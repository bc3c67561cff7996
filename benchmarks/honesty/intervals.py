"""How often a 95% interval holds the truth: classes, a quantity, and the verification of speakers."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from benchmarks.honesty.draws import World
from headstart.evidence import verify_speakers
from headstart.heads.verification import all_trials, cosine_scores, eer
from headstart.metrics import Interval, class_metrics, value_metrics
from headstart.metrics.differences import accuracy_difference

CLASSES = ("accuracy", "balanced_accuracy", "macro_f1", "auroc", "difference")
SIZES, UNITS = (20, 40, 150, 1000), (2, 3, 5, 10, 20)
N_POPULATION = 200_000
SEPARATION = {"eer 22%": 1.0, "eer 7%": 2.0}  # distance of speakers over the noise of a recording
N_RECORDINGS, N_DIMENSIONS = 10, 8


def cells() -> list[dict[str, Any]]:
    """Return the cells: classes, then quantities, then speakers."""
    classes = [
        {"task": "classes", "n_items": n, "n_units": units, "positives": share, "separation": auroc}
        for n, units in [*((n, 0) for n in SIZES), *((150, units) for units in UNITS), (1000, 5), (1000, 20)]
        for share in (0.5, 0.1)
        for auroc in (0.8, 0.98)
    ]
    values = [
        {"task": "quantity", "n_items": n, "n_units": units, "explained": r2}
        for n, units in [*((n, 0) for n in SIZES), *((150, units) for units in UNITS)]
        for r2 in (0.2, 0.8)
    ]
    speakers = [
        {"task": "speakers", "n_units": units, "apart": apart} for units in UNITS for apart in SEPARATION
    ]
    return [*classes, *values, *speakers]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return the share of n intervals that hold the truth, by metric, and the share of data sets that have one."""
    make = {"classes": _of_classes, "quantity": _of_values, "speakers": _of_speakers}[cell["task"]]
    truth, found = make(cell, n)
    return {
        name: _share([scores[name] for scores in found if scores[name].value is not None], truth[name])
        for name in truth
    }


def _share(scores: list[Interval], truth: float) -> dict[str, float | None]:
    shown = [score for score in scores if score.low is not None]
    holds = [score.low <= truth <= score.high for score in shown]  # type: ignore[operator]
    width = [score.high - score.low for score in shown]  # type: ignore[operator]
    return {
        "shown": len(shown) / max(1, len(scores)),
        "holds": float(np.mean(holds)) if shown else None,
        "width": float(np.median(width)) if shown else None,
    }


def _of_classes(cell: dict[str, Any], n: int) -> tuple[dict[str, float], list[dict[str, Interval]]]:
    world, rng = World.of(cell), np.random.default_rng(1)
    truth = _truth_of_classes(world)
    found = []
    while len(found) < n:
        drawn = world.draw(rng)
        if 0 < drawn.y.sum() < len(drawn.y):
            scores = class_metrics(drawn.y, drawn.first, drawn.units)
            difference = accuracy_difference(drawn.y, drawn.first, drawn.second, drawn.units)
            found.append({**scores, "difference": difference})
    return truth, found


@cache
def _truth_of_classes(world: World) -> dict[str, float]:
    n_units = N_POPULATION // 20 if world.n_units else 0
    drawn = world.draw(np.random.default_rng(0), N_POPULATION, n_units)
    found = class_metrics(drawn.y, drawn.first)
    return {**{name: float(found[name]) for name in CLASSES[:-1]}, "difference": 0.0}


def _of_values(cell: dict[str, Any], n: int) -> tuple[dict[str, float], list[dict[str, Interval]]]:
    rng, r2 = np.random.default_rng(1), cell["explained"]
    found = []
    for _ in range(n):
        y, p, units = _values(rng, cell["n_items"], cell["n_units"], r2)
        found.append(value_metrics(y, p, units))
    y, p, _ = _values(rng, N_POPULATION, N_POPULATION // 20 if cell["n_units"] else 0, r2)
    truth = value_metrics(y, p)
    return {name: float(truth[name]) for name in ("r2", "rmse", "spearman")}, found


def _values(
    rng: np.random.Generator, n_items: int, n_units: int, r2: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return truth, predictions and units: a fifth of the variance of the errors is that of the units."""
    y, error = rng.normal(size=n_items), rng.normal(size=n_items)
    units = np.arange(n_items) % n_units if n_units else None
    if units is not None:
        error = 0.8**0.5 * error + 0.2**0.5 * rng.normal(size=n_units)[units]
    return y, y + (1 - r2) ** 0.5 * error, units


def _of_speakers(cell: dict[str, Any], n: int) -> tuple[dict[str, float], list[dict[str, Interval]]]:
    rng, apart = np.random.default_rng(1), SEPARATION[cell["apart"]]
    found = []
    for _ in range(n):
        x, speakers = _recordings(rng, cell["n_units"], apart)
        verified = verify_speakers(x, speakers, centre=np.zeros(N_DIMENSIONS))
        assert verified is not None  # every speaker has several recordings
        found.append({"eer": verified.eer})
    return {"eer": _true_eer(apart)}, found


@cache
def _true_eer(apart: float) -> float:
    rng, rates = np.random.default_rng(0), []
    for _ in range(12):
        x, speakers = _recordings(rng, 150, apart)
        trials = all_trials(speakers)
        rates.append(eer(cosine_scores(x, trials, np.zeros(N_DIMENSIONS)), trials.is_target))
    return float(np.mean(rates))


def _recordings(rng: np.random.Generator, n_speakers: int, apart: float) -> tuple[np.ndarray, np.ndarray]:
    own = apart * rng.normal(size=(n_speakers, 1, N_DIMENSIONS))
    x = own + rng.normal(size=(n_speakers, N_RECORDINGS, N_DIMENSIONS))
    return x.reshape(-1, N_DIMENSIONS), np.repeat(np.arange(n_speakers), N_RECORDINGS).astype(object)


def table(rows: list[dict[str, Any]]) -> str:
    """Return the coverage in percent, in three tables."""
    heads = {
        "classes": ("items, units, positives, AUROC", (*CLASSES,)),
        "quantity": ("items, units, R²", ("r2", "rmse", "spearman")),
        "speakers": ("speakers, separation", ("eer",)),
    }
    lines: list[str] = []
    for task, (first, metrics) in heads.items():
        lines += ["", f"| {first} | {' | '.join(m.replace('_', ' ') for m in metrics)} |"]
        lines += ["|---" * (len(metrics) + 1) + "|"]
        for row in rows:
            if row["task"] == task:
                lines.append(f"| {_name(row)} | {' | '.join(_cell(row[m]) for m in metrics)} |")
    return "\n".join(lines[1:])


def _name(row: dict[str, Any]) -> str:
    units = f", {row['n_units']} units" if row["n_units"] else ""
    if row["task"] == "classes":
        return f"{row['n_items']}{units}, {row['positives']:.0%}, {row['separation']:.2f}"
    if row["task"] == "quantity":
        return f"{row['n_items']}{units}, {row['explained']:.1f}"
    return f"{row['n_units']}, {row['apart']}"


def _cell(found: dict[str, float | None]) -> str:
    holds, shown = found["holds"], found["shown"] or 0.0
    if holds is None or shown < 0.02:
        return "no interval"
    return f"{100 * holds:.1f}" + ("" if shown > 0.995 else f" ({shown:.0%} have one)")
