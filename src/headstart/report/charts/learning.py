"""Chart of learning curves: scores over the number of labels, on a logarithmic scale, with what is fitted to them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from headstart.metrics import Interval
from headstart.report.charts.scale import Scale, Tick, Whisker, bound_of, polyline, whisker

LABEL_HEIGHT = 6.5  # percent of the plot that a label beside a curve takes
TICK_WIDTH = 11.0  # percent of the plot that a number below the axis takes


@dataclass(frozen=True)
class Learned:
    """What is drawn of one method.

    Attributes:
        letter, name: what it is called.
        short: the name where there is little room.
        kind: the class that gives its colour.
        points: number of labels, score and text of the tooltip, rising.
        fitted: number of labels, value, low and high of the fitted curve, rising; empty for none.
    """

    letter: str
    name: str
    short: str
    kind: str
    points: Sequence[tuple[float, Interval, str]]
    fitted: Sequence[tuple[float, float, float, float]] = ()


@dataclass(frozen=True)
class LearnedDot:
    """A score with its interval and the text of its tooltip."""

    x: float
    mark: Whisker
    text: str


@dataclass(frozen=True)
class LearnedLine:
    """The curve of one method: its line, its fitted curve with a band, and where its label stands."""

    letter: str
    name: str
    short: str
    kind: str
    line: str
    dots: tuple[LearnedDot, ...]
    fitted: str
    band: str
    label_at: float


@dataclass(frozen=True)
class LearningCurves:
    """The curves of all methods; what lies right of `beyond` is extrapolated."""

    lines: tuple[LearnedLine, ...]
    ticks: tuple[Tick, ...]
    labels: tuple[Tick, ...]
    beyond: float


def learning_curves(methods: Sequence[Learned], key: str) -> LearningCurves | None:
    """Scores over the number of labels; None if nothing was measured.

    Args:
        methods: in the order of their letters.
        key: the metric.
    """
    measured = [point for each in methods for point in each.points if point[1].value is not None]
    if not measured:
        return None
    sizes = sorted({n_labels for n_labels, _, _ in measured})
    last = max([sizes[-1], *(place[0] for each in methods for place in each.fitted)])
    width = math.log10(last / sizes[0])
    # a wide band is cut at the edge: it must not squeeze what was measured
    ends = [end for _, score, _ in measured for end in (score.value, score.low, score.high)]
    scale = Scale([*ends, *(place[1] for each in methods for place in each.fitted)], key, bound_of(key))

    def across(n_labels: float) -> float:
        return round(100 * math.log10(n_labels / sizes[0]) / width, 3) if width else 50.0

    def drawn(each: Learned, label_at: float) -> LearnedLine:
        dots = tuple(
            LearnedDot(across(n_labels), whisker(score, scale), text)
            for n_labels, score, text in each.points
            if score.value is not None
        )
        upper = [(across(place), scale.at(high)) for place, _, _, high in each.fitted]
        lower = [(across(place), scale.at(low)) for place, _, low, _ in reversed(each.fitted)]
        return LearnedLine(
            each.letter,
            each.name,
            each.short,
            each.kind,
            polyline((dot.x, dot.mark.at) for dot in dots),
            dots,
            polyline((across(place), scale.at(value)) for place, value, _, _ in each.fitted),
            polyline(upper + lower),
            label_at,
        )

    known = [each for each in methods if any(score.value is not None for _, score, _ in each.points)]
    places = spread_out([scale.at(_end(each)) for each in known], LABEL_HEIGHT)
    return LearningCurves(
        tuple(drawn(each, place) for each, place in zip(known, places, strict=True)),
        scale.ticks,
        _apart([Tick(across(n), f"{n:,.0f}") for n in ([*sizes, last] if last > sizes[-1] else sizes)]),
        across(sizes[-1]) if last > sizes[-1] else 100.0,
    )


def _end(each: Learned) -> float:
    """The height at which a curve ends."""
    return each.fitted[-1][1] if each.fitted else float(each.points[-1][1])


def spread_out(places: Sequence[float], gap: float) -> list[float]:
    """Places moved as little as possible (least squares) so that neighbours are `gap` apart, from 0 to 100 if they fit.

    Args:
        places: in any order.
        gap: between two of them.
    """
    from scipy.optimize import isotonic_regression

    order = sorted(range(len(places)), key=places.__getitem__)
    steps = [gap * rank for rank in range(len(places))]
    level = [places[place] - step for place, step in zip(order, steps, strict=True)]
    moved = [float(at) for at in isotonic_regression(level).x] if level else []
    most = 100.0 - (steps[-1] if steps else 0.0)
    found = dict(
        zip(order, (max(0.0, min(at, most)) + s for at, s in zip(moved, steps, strict=True)), strict=True)
    )
    return [round(found[place], 3) for place in range(len(places))]


def _apart(ticks: Sequence[Tick]) -> tuple[Tick, ...]:
    """Ticks whose texts do not touch; the last one is kept."""
    kept: list[Tick] = []
    for tick in reversed(ticks):
        if not kept or kept[-1].at - tick.at >= TICK_WIDTH:
            kept.append(tick)
    return tuple(reversed(kept))
