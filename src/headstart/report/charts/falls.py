"""How an output falls while parts of the items are removed, in the order of explanations and in random orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.report.charts.scale import Scale, Tick, polyline
from headstart.report.words import number


@dataclass(frozen=True)
class Fall:
    """One curve; `kind` is the class that gives its colour."""

    name: str
    kind: str
    points: str
    dots: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class Falls:
    """The curves over the share of the parts that are removed."""

    lines: tuple[Fall, ...]
    ticks: tuple[Tick, ...]


def falls(shares: Sequence[float], lines: Sequence[tuple[str, str, Sequence[float]]], key: str) -> Falls:
    """Curves of mean outputs.

    Args:
        shares: of the parts that are removed, from 0 to 1.
        lines: name, kind and outputs of each curve.
        key: a metric for the axis's text.
    """
    scale = Scale((value for _, _, values in lines for value in values), key)
    found = []
    for name, kind, values in lines:
        dots = tuple(
            (
                round(100 * share, 3),
                scale.at(value),
                f"{name}, {100 * share:.0f}% removed: {number(value, key)}",
            )
            for share, value in zip(shares, values, strict=True)
        )
        found.append(Fall(name, kind, polyline((x, y) for x, y, _ in dots), dots))
    return Falls(tuple(found), scale.ticks)
