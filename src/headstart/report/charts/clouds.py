"""Chart of two sets of points in the plane: dots and crosses, told apart by shape as well as by colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIDE = 200.0  # of the drawing, in its own units
ARM = 2.1  # of a cross
OUTER = 0.5  # percent of the points on each side that may lie outside: they are drawn at the edge


@dataclass(frozen=True)
class Clouds:
    """Paths of an SVG: the first set as dots (drawn as lines of no length with round ends), the second as crosses."""

    dots: str
    crosses: str
    side: float


def clouds(first_N2: np.ndarray, second_M2: np.ndarray) -> Clouds:
    """Both sets on one scale, the same for both axes.

    Args:
        first_N2: of shape (N, 2), finite.
        second_M2: of shape (M, 2), finite; N + M at least 1.
    """
    both = np.concatenate([first_N2, second_M2])
    low, high = np.percentile(both, [OUTER, 100 - OUTER], axis=0)
    middle, half = (low + high) / 2, float((high - low).max()) / 2 or 1.0
    room = SIDE / 2 - 2 * ARM

    def places(points: np.ndarray) -> list[tuple[float, float]]:
        moved = np.clip((points - middle) / half, -1.0, 1.0) * room + SIDE / 2
        return [(round(float(x), 1), round(float(SIDE - y), 1)) for x, y in moved]

    dots = "".join(f"M{x:g} {y:g}h0" for x, y in places(first_N2))
    crosses = "".join(
        f"M{round(x - ARM, 1):g} {y:g}h{2 * ARM:g}M{x:g} {round(y - ARM, 1):g}v{2 * ARM:g}"
        for x, y in places(second_M2)
    )
    return Clouds(dots, crosses, SIDE)
