"""Charts of scores: side by side, by depth, and how often a stated confidence is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from headstart.metrics import Bin, Interval
from headstart.report.charts.scale import Scale, Tick, Whisker, polyline, whisker
from headstart.report.words import interval, number

FEW_IN_BIN = 5


@dataclass(frozen=True)
class Bar:
    """A score of one candidate, with its text."""

    name: str
    note: str
    value: str
    interval: str
    ours: bool
    mark: Whisker


@dataclass(frozen=True)
class Comparison:
    """Scores of one metric, one below the other."""

    key: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


def comparison(
    rows: Sequence[tuple[str, str, Interval, bool]], key: str, scale: Scale | None = None
) -> Comparison:
    """Scores side by side, each with a mark and an interval.

    Args:
        rows: name, note, score and whether it is the run's own.
        key: the metric.
        scale: of the axis; None: as wide as the scores need.
    """
    scale = scale or Scale.of_scores((score for _, _, score, _ in rows), key)
    bars = tuple(
        Bar(name, note, number(score.value, key), interval(score, key), ours, whisker(score, scale))
        for name, note, score, ours in rows
    )
    return Comparison(key, bars, scale.ticks)


@dataclass(frozen=True)
class DepthDot:
    """The score of a probe at one stage."""

    x: float
    stage: str
    value: str
    interval: str
    chosen: bool
    mark: Whisker


@dataclass(frozen=True)
class Depth:
    """The depth profile: dots, and the line and band through them as SVG points."""

    dots: tuple[DepthDot, ...]
    line: str
    band: str
    ticks: tuple[Tick, ...]
    n_chosen: int
    every: int  # which stages have their name on the axis


def depth(
    profile: Sequence[tuple[str, Interval]], chosen: Sequence[str], key: str, scale: Scale | None = None
) -> Depth:
    """A dot with its interval per stage, and the line and band through them.

    Args:
        profile: name and score of S stages, in the order of the network.
        chosen: names of the stages that are ringed.
        key: what the scores are.
        scale: that other profiles share; None: one for these scores.
    """
    scale = scale or Scale.of_scores((score for _, score in profile), key)
    dots = tuple(
        DepthDot(
            round(100 * (position + 0.5) / len(profile), 3),
            stage,
            number(score.value, key),
            interval(score, key),
            stage in chosen,
            whisker(score, scale),
        )
        for position, (stage, score) in enumerate(profile)
    )
    upper = [(dot.x, dot.mark.high) for dot in dots]
    lower = [(dot.x, dot.mark.low) for dot in reversed(dots)]
    return Depth(
        dots,
        polyline((dot.x, dot.mark.at) for dot in dots),
        polyline(upper + lower),
        scale.ticks,
        sum(dot.chosen for dot in dots),
        max(1, math.ceil(len(dots) / 14)),
    )


@dataclass(frozen=True)
class ReliabilityBar:
    """One bin of the reliability diagram: its bar with an interval, the gap to perfect calibration, its count."""

    left: float
    width: float
    accuracy: float
    confidence: float
    gap_low: float
    gap: float
    right_low: float
    right: float
    interval: str  # "" if there is none
    over: bool
    n_items: int
    share: float
    few: bool


def reliability(bins: Sequence[Bin]) -> tuple[ReliabilityBar, ...]:
    """Bars of the reliability diagram and of the counts below it.

    Bins of fewer than five items, or without an interval, are `few`.

    Args:
        bins: of equal or unequal width, edges from 0 to 1.
    """
    largest = max((b.n_items for b in bins), default=0) or 1
    return tuple(
        ReliabilityBar(
            left=round(100 * b.low, 3),
            width=round(100 * (b.high - b.low), 3),
            accuracy=round(100 * b.accuracy, 3),
            confidence=round(100 * b.confidence, 3),
            gap_low=round(100 * min(b.accuracy, b.confidence), 3),
            gap=round(100 * abs(b.accuracy - b.confidence), 3),
            right_low=round(100 * (b.right.low or 0.0), 3),
            right=round(100 * ((b.right.high or 0.0) - (b.right.low or 0.0)), 3),
            interval=interval(b.right),
            over=b.confidence > b.accuracy,
            n_items=b.n_items,
            share=round(100 * b.n_items / largest, 3),
            few=b.n_items < FEW_IN_BIN or b.right.low is None,
        )
        for b in bins
    )
