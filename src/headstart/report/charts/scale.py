"""A linear scale with round ticks, in percent of a plot."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from headstart.metrics import Interval, metric_named
from headstart.report.words import is_percent


@dataclass(frozen=True)
class Tick:
    """One round value on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Whisker:
    """A score and the ends of its interval; the same place three times if there is none."""

    at: float
    low: float
    high: float
    has_interval: bool


def nice_ticks(low: float, high: float, n_ticks: int = 5) -> list[float]:
    """Round numbers that cover an interval, the first at or below `low` and the last at or above `high`.

    Args:
        low, high: finite, low <= high.
        n_ticks: about how many are wanted.
    """
    span = high - low
    if span < 1e-6 * max(1.0, abs(high)):  # all values are equal
        span = abs(high) if abs(high) > 1e-6 else 1.0
    raw = span / max(1, n_ticks - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw * 0.999), 10 * power)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * k, 12) for k in range(first, max(last, first + 1) + 1)]


class Scale:
    """A linear scale from values to percent, with round ticks.

    Args:
        values: what must fit; None is ignored.
        key: the metric, for the ticks' text.
        bound: the scale never passes this value upward (1.0 for shares).
    """

    def __init__(self, values: Iterable[float | None], key: str = "accuracy", bound: float | None = None):
        known = [v for v in values if v is not None and math.isfinite(v)] or [0.0, 1.0]
        if max(known) - min(known) < 1e-6:  # a single value, such as a perfect score, needs space around it
            known.append(min(known) - 0.1 if min(known) >= 0.1 else min(known) + 0.1)
        ticks = nice_ticks(min(known), max(known))
        if bound is not None and max(known) <= bound:
            step = ticks[1] - ticks[0]
            ticks = [t for t in ticks if t <= bound + 1e-9]
            if ticks[-1] < max(known):
                ticks.append(bound)
            if len(ticks) < 2:  # every value is the bound
                ticks.insert(0, bound - step)
        self.low, self.high, self.key = ticks[0], ticks[-1], key
        self.values = ticks

    @classmethod
    def of_scores(cls, scores: Iterable[Interval], key: str) -> Scale:
        """The scale of a metric that holds scores with their intervals."""
        return cls((v for s in scores for v in (s.value, s.low, s.high)), key, bound_of(key))

    def at(self, value: float) -> float:
        """Percent of the way from the low end to the high end, kept inside."""
        return round(min(100.0, max(0.0, 100 * (value - self.low) / (self.high - self.low))), 3)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Place and text of every tick."""
        percent = is_percent(self.key)
        return tuple(Tick(self.at(t), f"{100 * t:g}%" if percent else f"{t:g}") for t in self.values)


def bound_of(key: str) -> float | None:
    """The largest value a metric can take; None if it has no bound."""
    return 1.0 if metric_named(key).better == "higher" or is_percent(key) else None


def whisker(score: Interval, scale: Scale) -> Whisker:
    """Places of a score and of the ends of its interval."""
    value = float(score)
    if score.low is None or score.high is None:
        return Whisker(scale.at(value), scale.at(value), scale.at(value), False)
    return Whisker(scale.at(value), scale.at(score.low), scale.at(score.high), True)


def polyline(corners: Iterable[tuple[float, float]]) -> str:
    """Points in percent (x from the left, y from the bottom) as an SVG points attribute."""
    return " ".join(f"{x:.2f},{100 - y:.2f}" for x, y in corners)
