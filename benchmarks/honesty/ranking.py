"""The ranking of sources where the truth is known: false statements, power, and what is predicted for the first.

Whether an item is right under each of S sources is drawn as in `benchmarks.honesty.stages`, for the training items and
for a held-out part. "Any pair": how often any two of S equal sources are told apart. "Pairs at 5% each": the same if
every pair were compared on its own. "Selected": cross-validated accuracy of the source that comes first, minus its
true one.

Legend: N items, S sources.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.honesty import stages
from headstart.choose.places import place
from headstart.evidence import cross_validation_factor
from headstart.metrics.bounds import t_quantile
from headstart.metrics.spread import standard_error
from headstart.ranking.predicted import HeldOut, usual
from headstart.tasks import CLASSIFICATION

ALIKE = 0.6  # sources are often right on the same items
GAIN = 0.1  # of one source over all others, where power is measured
WIDEN = cross_validation_factor(5)


def cells() -> list[dict[str, Any]]:
    """Return the cells: items, units and number of sources; the held-out part has a third of the items."""
    sizes = [(40, 0), (150, 0), (1000, 0), (150, 6), (150, 10), (300, 30)]
    cells = [(*size, n_sources) for size in sizes for n_sources in (2, 7)]
    names = ("n_items", "n_units", "n_sources")
    return [{**dict(zip(names, cell)), "alike": ALIKE} for cell in (*cells, (150, 0, 20))]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return shares and mean errors over n simulations."""
    rng = np.random.default_rng(11)
    equal = np.full(cell["n_sources"], stages.RIGHT)
    better = equal.copy()
    better[-1] += GAIN
    found = np.array([_of_equals(cell, equal, rng) for _ in range(n)])
    names = ("any", "alone", "selected", "expected", "covered_first", "covered_all")
    power = np.mean([_is_first_alone(cell, better, rng) for _ in range(n)])
    return {**dict(zip(names, found.mean(axis=0).tolist())), "power": float(power)}


def _of_equals(cell: dict[str, Any], right: np.ndarray, rng: np.random.Generator) -> tuple[float, ...]:
    quality, units = stages._draw(cell, right, rng)
    found = place(quality, units, step=1.0, widen=WIDEN)
    first = found.order[0]
    outside, outer = stages._draw(_held_out(cell), right, rng)
    parts = HeldOut.of(units, len(quality), widen=WIDEN, held_out_units=outer, n_held_out=len(outside))
    covered, variances = [], [parts.variances(column, CLASSIFICATION) for column in quality.T]
    for index in range(len(right)):
        own = variances[index].at_least(usual(variances))
        predicted = parts.result(float(found.expected[index]), own, CLASSIFICATION)
        assert predicted.low is not None and predicted.high is not None
        covered.append(predicted.low - 1e-9 <= outside[:, index].mean() <= predicted.high + 1e-9)
    truth = right[first]
    return (
        float(found.better.any()),
        float(_any_alone(quality, units)),
        float(quality[:, first].mean() - truth),
        float(found.expected[first] - truth),
        float(covered[first]),
        float(np.mean(covered)),
    )


def _is_first_alone(cell: dict[str, Any], right: np.ndarray, rng: np.random.Generator) -> bool:
    quality, units = stages._draw(cell, right, rng)
    found = place(quality, units, step=1.0, widen=WIDEN)
    return bool(found.last[-1] == 1)


def _held_out(cell: dict[str, Any]) -> dict[str, Any]:
    return {
        **cell,
        "n_items": cell["n_items"] // 3,
        "n_units": max(3, cell["n_units"] // 2) if cell["n_units"] else 0,
    }


def _any_alone(quality: np.ndarray, units: np.ndarray | None) -> bool:
    """Whether any pair differs by more than its own 5% bound."""
    n_sources = quality.shape[1]
    limit = t_quantile(len(set((units if units is not None else np.arange(len(quality))).tolist())) - 1)
    for one in range(n_sources):
        for other in range(one):
            pair = quality[:, one] - quality[:, other]
            if abs(pair.mean()) > limit * standard_error(pair, units):
                return True
    return False


def table(rows: list[dict[str, Any]]) -> str:
    """Return one line per cell, in percent and points."""
    lines = [
        f"| items, units | sources | any pair, equal sources | pairs at 5% each "
        f"| first alone, +{100 * GAIN:.0f} points | selected | expected | held-out result in interval: first | all |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [
            stages._items(row),
            str(row["n_sources"]),
            *(f"{100 * row[name]:.1f}" for name in ("any", "alone", "power")),
            *(f"{100 * row[name]:+.1f}" for name in ("selected", "expected")),
            *(f"{100 * row[name]:.1f}" for name in ("covered_first", "covered_all")),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
