"""The gain of an audit and its verdict, over seeds and held-out items, where the truth is known.

Whether seed r of method m gets item i of unit g right is drawn from crossed effects, all normal:

    shared_i + shared_g + own_mi + own_mg + seed_mr + rest_mri + offset_m > 0

so that methods are right about the same items and the seeds of a method too; offset_m gives the true accuracy over all
items, units and seeds. "Seeds" is the standard deviation of the accuracy over seeds, in points: 0 where every seed has
the same training items, 3 and more with few labels.

- Gain: how many of the intervals of a true gain of 5 points hold it, and how often no gain has p < 0.05.
- Verdict: five numbers of labels and three baselines, of which one or two are exactly as good as transfer at every
  number and the others far worse; how often the verdict is positive, or negative, at any number of labels.

Legend: M methods, R seeds, N held-out items.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm

from headstart.auditing.cells import Cell
from headstart.auditing.curves import Held, curve, verdicts
from headstart.auditing.measuring import Method
from headstart.auditing.work import Measured
from headstart.evidence.over_seeds import gain
from headstart.metrics import Units

SHARED_ITEM, SHARED_UNIT, OWN_ITEM, OWN_UNIT, REST = 0.45, 0.15, 0.1, 0.1, 0.2
GAIN = 0.05
SIZES = (20, 50, 100, 200, 400)
BY_SIZE = (
    0.04,
    0.03,
    0.02,
    0.01,
    0.0,
)  # seeds differ less with more labels; with all they learn from the same items
FAR = 0.25  # how much worse the other baselines are
VERDICTS_SHARE = 2  # one simulation of verdicts makes 15 comparisons, so there are half as many


def cells() -> list[dict[str, Any]]:
    """Return the cells: of the gain, then of the verdict."""
    worlds = [(0.75, 0.0), (0.75, 0.04), (0.93, 0.02)]
    gains = [
        {
            "what": "gain",
            "n_items": n,
            "per_unit": per,
            "n_seeds": seeds,
            "right": right,
            "seeds_differ": differ,
        }
        for n in (40, 150, 400, 1000)
        for per in (1, 5, 20)
        for seeds in (3, 5, 10)
        for right, differ in worlds
        if n // per >= 5
    ]
    families = [
        {"what": "verdict", "n_items": n, "per_unit": per, "n_seeds": seeds, "right": 0.75, "n_equal": equal}
        for n, per in ((40, 1), (150, 1), (1000, 1), (150, 5), (1000, 20))
        for seeds in (3, 5)
        for equal in (1, 2)
    ]
    return [*gains, *families]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return shares over n simulations."""
    rng = np.random.default_rng([cell["n_items"], cell["per_unit"], cell["n_seeds"]])
    if cell["what"] == "verdict":
        found = [_family(cell, rng) for _ in range(max(1, n // VERDICTS_SHARE))]
        return {
            "positive": float(np.mean([pos for pos, _ in found])),
            "negative": float(np.mean([neg for _, neg in found])),
        }
    units = _units(cell)
    holds, width, alarms = [], [], {True: 0, False: 0}
    for _ in range(n):
        right = cell["right"]
        better, same = _drawn(rng, (right + GAIN, right), cell, cell["seeds_differ"])
        interval = gain(better, same, units, "accuracy").interval
        if interval.low is not None and interval.high is not None:
            holds.append(interval.low <= GAIN <= interval.high)
            width.append(interval.high - interval.low)
        one, other = _drawn(rng, (right, right), cell, cell["seeds_differ"])
        none = gain(one, other, units, "accuracy")
        if none.p < 0.05:
            alarms[none.better] += 1
    return {
        "holds": float(np.mean(holds)) if holds else None,
        "width": float(np.median(width)) if width else None,
        "shown": len(holds) / n,
        "positive": alarms[True] / n,
        "negative": alarms[False] / n,
    }


def _units(cell: dict[str, Any]) -> Units:
    n_items, per = cell["n_items"], cell["per_unit"]
    return Units.of(None if per == 1 else np.arange(n_items) // per, n_items)


def _drawn(
    rng: np.random.Generator,
    rights: tuple[float, ...],
    cell: dict[str, Any],
    seeds_differ: float,
    shared: np.ndarray | None = None,
) -> np.ndarray:
    """Return 1 and 0 for right and wrong, of shape (M, R, N)."""
    n_items, n_seeds, n_methods = cell["n_items"], cell["n_seeds"], len(rights)
    unit = np.arange(n_items) // cell["per_unit"]
    own_units = rng.normal(size=(n_methods, unit[-1] + 1))[:, unit]
    own = OWN_ITEM**0.5 * rng.normal(size=(n_methods, n_items)) + OWN_UNIT**0.5 * own_units
    seeds = seeds_differ**0.5 * rng.normal(size=(n_methods, n_seeds, 1))
    rest = REST**0.5 * rng.normal(size=(n_methods, n_seeds, n_items))
    offset = norm.ppf(rights)[:, None, None] * (1 + seeds_differ) ** 0.5
    both = _shared(rng, cell) if shared is None else shared
    return np.asarray(both + own[:, None] + seeds + rest + offset > 0, dtype=np.float64)


def _shared(rng: np.random.Generator, cell: dict[str, Any]) -> np.ndarray:
    """Return what all methods see in an item, of shape (N,)."""
    n_items = cell["n_items"]
    unit = np.arange(n_items) // cell["per_unit"]
    of_units = rng.normal(size=unit[-1] + 1)[unit]
    return np.asarray(SHARED_ITEM**0.5 * rng.normal(size=n_items) + SHARED_UNIT**0.5 * of_units)


def _family(cell: dict[str, Any], rng: np.random.Generator) -> tuple[bool, bool]:
    """Return whether the verdict was positive, and negative, at any number of labels."""
    n_equal, held = cell["n_equal"], Held(_units(cell), "accuracy")
    names = ("transfer", *(f"equal {k}" for k in range(n_equal)), *(f"far {k}" for k in range(3 - n_equal)))
    methods = [Measured(_method(name)) for name in names]
    rights = tuple(cell["right"] - FAR * name.startswith("far") for name in names)
    shared = _shared(rng, cell)
    for size, differ in zip(SIZES, BY_SIZE, strict=True):
        values = _drawn(rng, rights, cell, differ, shared)
        for measured, right, of_method in zip(methods, rights, values, strict=True):
            for seed, row in enumerate(of_method):
                on_folds = right + float(rng.normal()) * (right * (1 - right) / size) ** 0.5
                measured.cells[size, seed] = Cell(size, row, on_folds, 0.0, n_judged=size)
    transfer, *baselines = methods
    curves = {each.method.name: curve(each, SIZES, held) for each in baselines}
    found = [each.outcome for each in verdicts(transfer, baselines, curves, SIZES, held)]
    return "positive" in found, "negative" in found


def _method(name: str) -> Method:
    return Method(name, "transfer" if name == "transfer" else "classical", 0.0, "simulated")


def table(rows: list[dict[str, Any]]) -> str:
    """Return coverage and false alarms in percent, in two tables."""
    gains = [row for row in rows if row["what"] == "gain"]
    lines = [
        _summary(gains),
        "",
        "| held-out items, items per unit | accuracy, seeds | 3 seeds | 5 seeds | 10 seeds |",
    ]
    lines += ["|---|---|---|---|---|"]
    groups: dict[tuple[Any, ...], dict[int, dict[str, Any]]] = {}
    for row in gains:
        key = (row["n_items"], row["per_unit"], row["right"], row["seeds_differ"])
        groups.setdefault(key, {})[row["n_seeds"]] = row
    for (n_items, per, right, differ), found in groups.items():
        points = 100 * norm.pdf(norm.ppf(right)) * differ**0.5
        cells_ = " | ".join(_cell(found[seeds]) for seeds in (3, 5, 10))
        lines.append(f"| {n_items:,}, {per} | {right:.0%}, {points:.0f} points | {cells_} |")
    lines += [
        "",
        "| held-out items, items per unit, seeds | baselines as good as transfer | positive | negative |",
    ]
    lines += ["|---|---|---|---|"]
    for row in rows:
        if row["what"] == "verdict":
            first = f"{row['n_items']:,}, {row['per_unit']}, {row['n_seeds']}"
            lines.append(
                f"| {first} | {row['n_equal']} of 3 | {100 * row['positive']:.1f} | {100 * row['negative']:.1f} |"
            )
    return "\n".join(lines)


def _summary(gains: list[dict[str, Any]]) -> str:
    """Return how many cells with 5 seeds are within the goal, and the worst false alarms."""
    five = [row for row in gains if row["n_seeds"] == 5 and row["holds"] is not None]
    inside = sum(0.93 <= row["holds"] <= 0.97 for row in five)
    low = min(row["holds"] for row in five)
    worst = max(row["positive"] + row["negative"] for row in five)
    return (
        f"With 5 seeds {inside} of {len(five)} cells hold a true gain of 5 points in 93 to 97% of cases, the lowest "
        f"{100 * low:.1f}%; without a gain p < 0.05 in at most {100 * worst:.1f}%. In each cell: held, then false "
        "alarms."
    )


def _cell(row: dict[str, Any]) -> str:
    alarms = f"{100 * (row['positive'] + row['negative']):.1f}"
    return "no interval" if row["holds"] is None else f"{100 * row['holds']:.1f}, {alarms}"
