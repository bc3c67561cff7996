"""Chart of scores over what they cost, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from headstart.metrics import Interval
from headstart.report.charts.scale import Scale, Tick, Whisker, whisker
from headstart.report.words import interval, number

N_TICKS = 7


@dataclass(frozen=True)
class CostDot:
    """A candidate: its letter, its place and what its tooltip says."""

    letter: str
    x: float
    mark: Whisker
    kind: str
    text: str


@dataclass(frozen=True)
class Level:
    """A score without a cost, drawn as a line across."""

    at: float
    text: str


@dataclass(frozen=True)
class Costs:
    """Scores over costs."""

    dots: tuple[CostDot, ...]
    levels: tuple[Level, ...]
    ticks: tuple[Tick, ...]
    costs: tuple[Tick, ...]


@dataclass(frozen=True)
class CostCandidate:
    """What is drawn: a letter and a name, a cost or None, a score, and the class that gives its colour."""

    letter: str
    name: str
    cost: float | None
    score: Interval
    kind: str


def costs(candidates: Sequence[CostCandidate], key: str, unit: str) -> Costs | None:
    """Each candidate's score with its interval over its cost; None if no candidate has a cost.

    Args:
        candidates: those without a cost become lines across.
        key: the metric.
        unit: of the cost, for the tooltips.
    """
    known = [each.cost for each in candidates if each.cost]
    if not known:
        return None
    scale = Scale.of_scores((each.score for each in candidates), key)
    ticks = log_ticks(min(known), max(known))
    low, width = math.log10(ticks[0]), math.log10(ticks[-1]) - math.log10(ticks[0])

    def across(cost: float) -> float:
        return round(100 * (math.log10(cost) - low) / width, 3)

    def said(each: CostCandidate) -> str:
        between = interval(each.score, key)
        return f"{number(each.score.value, key)}{f' ({between})' if between else ''}"

    dots = tuple(
        CostDot(
            each.letter,
            across(each.cost),
            whisker(each.score, scale),
            each.kind,
            f"{each.name}: {said(each)}, {each.cost:.3g} {unit}",
        )
        for each in candidates
        if each.cost
    )
    levels = tuple(
        Level(scale.at(float(each.score)), f"{each.name}, {number(each.score.value, key)}")
        for each in candidates
        if not each.cost
    )
    return Costs(dots, levels, scale.ticks, tuple(Tick(across(tick), f"{tick:g}") for tick in ticks))


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers on a logarithmic scale, the first below `low` and the last above `high`, at most about seven.

    Args:
        low, high: positive, low <= high.
    """
    low, high = low / 1.15, high * 1.15  # a dot is never on the edge
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for digits in ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
        every = [round(digit * 10.0**power, 12) for power in powers for digit in digits]
        every.append(10.0 ** (powers[-1] + 1))
        first = max(place for place, tick in enumerate(every) if tick <= low)
        last = min(place for place, tick in enumerate(every) if tick >= high)
        if last - first < N_TICKS:
            break
    return every[first : last + 1]
