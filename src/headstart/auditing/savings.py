"""What transfer saves at equal score: labels, and time with the extraction of features counted.

The level is the score of a method without pretrained weights with all labels, s(n). Transfer reaches it with n'
labels, from where its curve, linear in log(labels) between its points, stays at the level. The interval holds every n'
at which the paired difference of both cannot be told from 0 (inverse regression, by a test at each n'). Time is
compared at the same n'.

Legend: R seeds, N held-out items, P places where the curve of transfer is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from headstart.auditing.curves import Held, seeds_of, values_of
from headstart.auditing.work import Measured
from headstart.evidence.over_seeds import inverted
from headstart.metrics import Interval
from headstart.metrics.spread import Float
from headstart.runs.audit import Curve, Saved

_N_PLACES = 121


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
    means = {size: values_of(transfer, size, seeds) for size in ours}
    points = [next(point for point in curves[0].points if point.n_labels == size) for size in ours]
    learned = [point.n_learned for point in points]  # whole groups can make it differ from what was asked for
    met = _meeting(learned, [means[size] for size in ours], values_of(other, last, seeds), held)
    theirs = next(point for point in curves[1].points if point.n_labels == last)
    time = np.interp(met.logs, np.log(learned), [point.seconds for point in points])
    return Saved(
        against=other.method.name,
        level=float(theirs.score.value or 0.0),
        n_labels=last,
        n_transfer=_interval(np.exp(met.logs), met.why),
        factor=_interval(theirs.n_learned / np.exp(met.logs), met.why),
        seconds=theirs.seconds,
        seconds_transfer=_interval(time, met.why),
        time_factor=_interval(theirs.seconds / np.maximum(time, 1e-9), met.why),
        bound=met.bound,
    )


@dataclass(frozen=True, eq=False)
class _Meeting:
    """Where the curve of transfer meets a level.

    Attributes:
        logs: logarithm of the number of labels there, and the ends of its interval, of shape (3,).
        why: why there is no interval; "" if there is one.
        bound: see `Saved`.
    """

    logs: Float
    why: str
    bound: Literal["", "at least", "not reached"]


def _meeting(sizes: Sequence[float], means: Sequence[Float], level_RN: Float, held: Held) -> _Meeting:
    def apart(log_n: float) -> Float:
        return _between(means, sizes, log_n) - level_RN

    places = np.linspace(np.log(sizes[0]), np.log(sizes[-1]), _N_PLACES)
    places = np.unique(np.concatenate([np.log(sizes), places]))
    sign = 1.0 if held.kind == "accuracy" else -1.0
    heights = np.array([sign * float(apart(x).mean()) for x in places])
    below = np.flatnonzero(heights < 0)
    first = 0 if not len(below) else int(below[-1]) + 1  # from here on the curve stays at the level or above
    inside = inverted(apart, places, held.units)
    clearly = inside is not None and (not len(inside) or inside[0] > places[0])
    bound: Literal["", "at least", "not reached"] = "not reached" if first == len(places) else ""
    if first == 0 and clearly:
        bound = "at least"
    at = float(places[min(first, len(places) - 1)])
    why = _why_no_ends(inside, heights)
    ends = (at, at) if inside is None or why else (min(inside[0], at), max(inside[-1], at))
    return _Meeting(np.array([at, *ends]), why, bound)


def _between(means: Sequence[Float], sizes: Sequence[float], log_n: float) -> Float:
    """Values at a number of labels between two sizes, linear in its logarithm, of shape (R, N)."""
    logs = np.log(sizes)
    after = int(np.clip(np.searchsorted(logs, log_n), 1, len(sizes) - 1)) if len(sizes) > 1 else 0
    if after == 0:
        return means[0]
    share = float((log_n - logs[after - 1]) / (logs[after] - logs[after - 1]))
    return (1 - share) * means[after - 1] + share * means[after]


def _why_no_ends(inside: Float | None, heights: Float) -> str:
    """Why there is no interval; "" if there is one."""
    if inside is None:
        return "too few independent held-out items"
    if len(inside):
        return ""
    return f"transfer is clearly {'better' if heights[0] > 0 else 'worse'} with every number of labels"


def _interval(values: Float, why: str) -> Interval:
    if why:
        return Interval(float(values[0]), why=why)
    return Interval(float(values[0]), float(min(values)), float(max(values)))
