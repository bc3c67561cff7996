"""The score without the items that the source has seen: how often the interval of its difference holds the truth.

Items that the source has seen are right more often. Which ones were seen is drawn anew each time, whole units of them
if there are units, whose items are right and wrong together. The true difference is the accuracy on new items that
were not seen minus that on new items of both kinds. A draw without seen items has no difference, and is drawn again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm

from headstart.evidence import without_seen
from headstart.tasks import CLASSIFICATION

RIGHT, RIGHT_IF_SEEN = 0.7, 0.95
ALIKE = 0.2  # correlation of the items of a unit
SIZES = ((50, 0), (200, 0), (1000, 0), (200, 40), (1000, 100))


def cells() -> list[dict[str, Any]]:
    """Return the cells."""
    return [
        {"n_items": n_items, "n_units": n_units, "share": share}
        for n_items, n_units in SIZES
        for share in (0.03, 0.1, 0.4)
    ]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return how often the interval held the true difference, and its mean width."""
    rng = np.random.default_rng(1)
    truth = -cell["share"] * (RIGHT_IF_SEEN - RIGHT)
    held, widths = [], []
    for _ in range(n):
        seen, right, units = _draw(cell, rng)
        outputs = np.where(right[:, None], [[0.8, 0.2]], [[0.3, 0.7]])
        found = without_seen(CLASSIFICATION, np.zeros(len(seen), int), outputs, seen, units).difference
        assert found.low is not None and found.high is not None  # items of both kinds, three units or more
        held.append(found.low <= truth <= found.high)
        widths.append(found.high - found.low)
    return {
        "truth": truth,
        "held": float(np.mean(held)),
        "width": float(np.mean(widths)),
    }


def _draw(cell: dict[str, Any], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Which items were seen and which are right, of shape (N,); and their units, if any."""
    n_items, n_units = cell["n_items"], cell["n_units"]
    units = np.arange(n_items) % n_units if n_units else None
    seen = np.zeros(n_items, dtype=bool)
    while not seen.any():
        drawn = rng.random(n_units or n_items) < cell["share"]
        seen = drawn if units is None else drawn[units]
    own = rng.normal(size=n_items)
    if units is not None:
        own = ALIKE**0.5 * rng.normal(size=n_units)[units] + (1 - ALIKE) ** 0.5 * own
    return seen, own < norm.ppf(np.where(seen, RIGHT_IF_SEEN, RIGHT)), units


def table(rows: list[dict[str, Any]]) -> str:
    """Return the coverage."""
    lines = [
        "| items | seen, % | true difference, points | interval holds it, % | its width, points |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        units = f" in {row['n_units']} units" if row["n_units"] else ""
        lines.append(
            f"| {row['n_items']}{units} | {100 * row['share']:.0f} | {100 * row['truth']:+.1f} "
            f"| {100 * row['held']:.1f} | {100 * row['width']:.1f} |"
        )
    return "\n".join(lines)
