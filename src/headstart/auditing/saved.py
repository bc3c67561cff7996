"""What transfer saves at equal score: labels, and time with the extraction of features counted.

The level is the score of a method without pretrained weights with all labels, s(n). Transfer reaches it with n'
labels, where its curve, linear in log(labels) between its points, first meets the level. The interval holds every n'
at which the paired difference of both cannot be told from 0 (inverse regression, by a test at each n'). Time is
compared at the same n'.

Legend: R seeds, N held-out items.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from headstart.auditing.curves import Held, seeds_of, values_of
from headstart.auditing.work import Measured
from headstart.evidence.over_seeds import inverted
from headstart.metrics import Interval
from headstart.metrics.spread import Float
from headstart.runs.audit import Curve, Saved

_N_TRIED = 121


def saved(
    transfer: Measured, other: Measured, curves: tuple[Curve, Curve], sizes: Sequence[int], held: Held
) -> Saved | None:
    """What transfer saves against a method without pretrained weights; None if they share no seed.

    Args:
        transfer: the source.
        other: the other method.
        curves: of both.
        sizes: numbers of labels, rising.
        held: the held-out items.
    """
    ours = [size for size in sizes if seeds_of(transfer, size)]
    last = max((size for size in sizes if seeds_of(other, size)), default=None)
    if last is None or not ours:
        return None
    seeds = [s for s in seeds_of(other, last) if all(s in seeds_of(transfer, size) for size in ours)]
    if not seeds:
        return None
    level_RN = values_of(other, last, seeds)
    means = {size: values_of(transfer, size, seeds) for size in ours}

    def apart(log_n: float) -> Float:
        return _between(means, ours, log_n) - level_RN

    sign = 1.0 if held.kind == "accuracy" else -1.0
    grid = np.unique(np.concatenate([np.log(ours), np.linspace(np.log(ours[0]), np.log(ours[-1]), _N_TRIED)]))
    heights = np.array([sign * float(apart(x).mean()) for x in grid])
    reached = np.flatnonzero(heights >= 0)
    ends = inverted(apart, grid, held.units)
    bound: Literal["", "at least", "not reached"] = (
        "at least" if heights[0] >= 0 else "not reached" if not len(reached) else ""
    )
    at = float(grid[reached[0]]) if len(reached) else float(grid[-1])
    why = _why_no_ends(ends, heights)
    low, high = (at, at) if ends is None or why else (min(ends[0], at), max(ends[-1], at))
    n_transfer = _interval(np.exp([at, low, high]), why)
    seconds = next(point.seconds for point in curves[1].points if point.n_labels == last)
    ours_seconds = [next(p.seconds for p in curves[0].points if p.n_labels == size) for size in ours]
    time = np.interp([at, low, high], np.log(ours), ours_seconds)
    level = next(point.score.value for point in curves[1].points if point.n_labels == last)
    return Saved(
        against=other.method.name,
        level=float(level or 0.0),
        n_labels=last,
        n_transfer=n_transfer,
        factor=_interval(last / np.exp([at, high, low]), why),
        seconds=seconds,
        seconds_transfer=_interval(time, why),
        time_factor=_interval(seconds / np.maximum(time[[0, 2, 1]], 1e-9), why),
        bound=bound,
    )


def _between(means: dict[int, Float], sizes: Sequence[int], log_n: float) -> Float:
    """Values at a number of labels between two sizes, linear in its logarithm, of shape (R, N)."""
    logs = np.log(sizes)
    after = int(np.clip(np.searchsorted(logs, log_n), 1, len(sizes) - 1)) if len(sizes) > 1 else 0
    if after == 0:
        return means[sizes[0]]
    share = float((log_n - logs[after - 1]) / (logs[after] - logs[after - 1]))
    return (1 - share) * means[sizes[after - 1]] + share * means[sizes[after]]


def _why_no_ends(ends: Float | None, heights: np.ndarray) -> str:
    """Why there is no interval; "" if there is one."""
    if ends is None:
        return "too few independent held-out items"
    if len(ends):
        return ""
    return f"transfer is clearly {'better' if heights[0] > 0 else 'worse'} with every number of labels"


def _interval(values: np.ndarray, why: str) -> Interval:
    if why:
        return Interval(float(values[0]), why=why)
    return Interval(float(values[0]), float(min(values)), float(max(values)))
