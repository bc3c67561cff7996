"""How often the report says that the held-out part is harder, where it is and where it is not.

The stages are those of `benchmarks.honesty.stages`: the best of 13 is chosen on the training part. Beside
it stands a plain rule: the 95% intervals of the selected score and of the held-out score do not touch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.honesty import stages
from headstart.evidence import Mean, cross_validation_factor, mean_quality, shifted
from headstart.metrics.spread import freedom, share_error
from headstart.tasks import CLASSIFICATION

N_STAGES, N_FOLDS, ALIKE = 13, 5, 0.5
HARDER = 0.15


def cells() -> list[dict[str, Any]]:
    """Return the cells: held-out parts of each size, with all stages alike and with a last stage that is worse."""
    grouped = [(150, 20, 40, 2), (150, 20, 45, 3), (150, 20, 50, 5), (150, 20, 60, 10), (150, 20, 80, 20)]
    grouped += [(150, 5, 45, 3), (150, 5, 50, 5)]
    single = [(60, 0, 20, 0), (150, 0, 40, 0), (150, 0, 200, 0), (1000, 0, 250, 0)]
    names = ("n_items", "n_units", "n_held_out", "n_held_out_units")
    return [
        {**dict(zip(names, sizes)), "worse": worse, "harder": harder}
        for sizes in [*grouped, *single]
        for worse, harder in ((0.0, 0.0), (stages.WORSE, 0.0), (0.0, HARDER))
    ]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return the shares of warnings, of the plain rule and of the report."""
    rng = np.random.default_rng(5)
    found = np.array([_warned(cell, rng) for _ in range(n)])
    return {"apart": float(found[:, 0].mean()), "warned": float(found[:, 1].mean())}


def _warned(cell: dict[str, Any], rng: np.random.Generator) -> tuple[bool, bool]:
    right = np.full(N_STAGES + 1, stages.RIGHT)
    right[0] -= cell["worse"]
    inside, units = stages._draw({**cell, "alike": ALIKE}, right, rng)
    tried, choice = stages._choose(inside, units)
    column = tried[choice.index]
    held_out = {"n_items": cell["n_held_out"], "n_units": cell["n_held_out_units"], "alike": ALIKE}
    outside, outer = stages._draw(held_out, right[[column]] - cell["harder"], rng)
    own, other = inside[:, column], outside[:, 0]
    error = share_error(own, units)
    is_apart = other.mean() + 1.96 * share_error(other, outer) < own.mean() - 1.96 * error
    widened = error * cross_validation_factor(N_FOLDS)
    quality = mean_quality(
        CLASSIFICATION, np.stack([1 - other, other], axis=1), np.ones(len(other), int), outer
    )
    known = Mean(choice.expected, widened, freedom(units, len(own)))
    return bool(is_apart), shifted(known, quality).is_clear


def table(rows: list[dict[str, Any]]) -> str:
    """Return the shares in percent."""
    lines = ["| training, held out | what is true | intervals apart | warned |", "|---|---|---|---|"]
    for row in rows:
        sizes = " against ".join(
            f"{n_items}{f' in {n_units} units' if n_units else ''}"
            for n_items, n_units in (
                (row["n_items"], row["n_units"]),
                (row["n_held_out"], row["n_held_out_units"]),
            )
        )
        truth = f"{100 * row['harder']:.0f} points harder" if row["harder"] else "alike"
        truth += f", last stage {100 * row['worse']:.0f} points worse" if row["worse"] else ""
        lines.append(f"| {sizes} | {truth} | {100 * row['apart']:.1f} | {100 * row['warned']:.1f} |")
    return "\n".join(lines)
