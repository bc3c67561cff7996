"""Charts of series: curves over epochs and rates, predictions over true values, parts of a whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.report.charts.scale import Scale, Tick, bound_of, polyline
from headstart.report.words import number

MAX_DOTS = 1_500
N_BARS = 25


@dataclass(frozen=True)
class Dot:
    """A point of a curve or a scatter plot, with the text of its tooltip."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Line:
    """One curve; `kind` is the class that gives its colour."""

    name: str
    kind: str
    points: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class Curves:
    """Curves over epochs."""

    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...]
    first: str
    last: str


Series = Sequence[tuple[float, float | None]]


def curves(series: Sequence[tuple[str, str, Series]], key: str) -> Curves | None:
    """Curves over epochs, one line per quantity; None if nothing was measured.

    Args:
        series: kind, name and (epoch, value) pairs of each line; a value that was not measured is None.
        key: a metric for the axis's text.
    """
    measured = [
        (kind, name, [(epoch, value) for epoch, value in points if value is not None])
        for kind, name, points in series
    ]
    measured = [each for each in measured if each[2]]
    if not measured:
        return None
    epochs = [epoch for _, _, points in series for epoch, _ in points]
    first, width = min(epochs), (max(epochs) - min(epochs)) or 1.0
    scale = Scale((v for _, _, points in measured for _, v in points), key, bound_of(key))
    lines = []
    for kind, name, points in measured:
        dots = tuple(
            Dot(
                round(100 * (epoch - first) / width, 3),
                scale.at(value),
                f"epoch {epoch:g}: {number(value, key)}",
            )
            for epoch, value in points
        )
        lines.append(Line(name, kind, polyline((dot.x, dot.y) for dot in dots), dots))
    return Curves(tuple(lines), scale.ticks, f"{min(epochs):g}", f"{max(epochs):g}")


@dataclass(frozen=True)
class RateCurve:
    """The loss over the rates that the rate finder tried, on a logarithmic scale."""

    points: str
    ticks: tuple[Tick, ...]
    rates: tuple[Tick, ...]
    taken: float
    text: str


def rate_curve(rates: Sequence[float], losses: Sequence[float], taken: float) -> RateCurve:
    """The loss over rates, and the rate that was taken.

    Args:
        rates: at least two, ascending.
        losses: at each.
        taken: the rate that was taken.
    """
    places = [math.log10(rate) for rate in rates]
    first, width = places[0], places[-1] - places[0]
    # after its minimum the loss rises without bound: the chart ends slightly above the first value
    scale = Scale([min(losses), losses[0] + 0.5 * (losses[0] - min(losses))], "log_loss")

    def across(place: float) -> float:
        return round(100 * (place - first) / width, 3)

    whole = range(math.ceil(first), math.floor(places[-1]) + 1)
    return RateCurve(
        polyline((across(x), scale.at(y)) for x, y in zip(places, losses, strict=True)),
        scale.ticks,
        tuple(Tick(across(power), f"{10.0**power:g}") for power in whole),
        across(math.log10(taken)),
        f"{taken:.2g}",
    )


@dataclass(frozen=True)
class Column:
    """One bar of a histogram."""

    left: float
    width: float
    height: float
    text: str


@dataclass(frozen=True)
class Scatter:
    """Predictions over true values, and how large their errors are."""

    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    columns: tuple[Column, ...]
    edge: str
    n_items: int


def scatter(truth: np.ndarray, predicted: np.ndarray) -> Scatter:
    """Dots of prediction over truth on one scale, and a histogram of the errors.

    Args:
        truth, predicted: of shape (N,), N >= 1.
    """
    scale = Scale(
        [float(min(truth.min(), predicted.min())), float(max(truth.max(), predicted.max()))], "rmse"
    )
    step = max(1, math.ceil(len(truth) / MAX_DOTS))
    dots = tuple(
        Dot(scale.at(float(true)), scale.at(float(value)), f"true {true:.4g}, predicted {value:.4g}")
        for true, value in zip(truth[::step], predicted[::step], strict=True)
    )
    errors = predicted - truth
    widest = float(np.abs(errors).max()) or 1.0
    counts, _ = np.histogram(errors, bins=N_BARS, range=(-widest, widest))
    width = 100 / N_BARS
    columns = tuple(
        Column(
            round(k * width, 3),
            round(width, 3),
            round(100 * n / max(1, counts.max()), 3),
            f"{int(n):,} off by {(2 * k / N_BARS - 1) * widest:.3g} to {(2 * (k + 1) / N_BARS - 1) * widest:.3g}",
        )
        for k, n in enumerate(counts)
    )
    return Scatter(dots, scale.ticks, columns, f"{widest:.3g}", len(truth))


@dataclass(frozen=True)
class Span:
    """A part of a whole, beginning where the part before it ends."""

    name: str
    amount: float
    left: float
    width: float


def spans(amounts: Sequence[tuple[str, float]]) -> tuple[Span, ...]:
    """Bars one after the other; amounts of 0 are left out."""
    positive = [(name, amount) for name, amount in amounts if amount > 0]
    whole = sum(amount for _, amount in positive) or 1.0
    found, start = [], 0.0
    for name, amount in positive:
        found.append(Span(name, amount, round(start, 3), round(100 * amount / whole, 3)))
        start += 100 * amount / whole
    return tuple(found)
