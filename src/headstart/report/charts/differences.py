"""Chart of differences from one candidate, with their intervals and a line at no difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.metrics import Interval
from headstart.report.charts.scale import Scale, Tick, Whisker, whisker
from headstart.report.words import difference, is_percent, points, signed, signed_percent


@dataclass(frozen=True)
class Gap:
    """A difference of one candidate, with its text."""

    name: str
    letter: str
    value: str
    interval: str
    kind: str
    mark: Whisker


@dataclass(frozen=True)
class Gaps:
    """Differences one below the other, and where none is."""

    rows: tuple[Gap, ...]
    zero: float
    ticks: tuple[Tick, ...]


def gaps(rows: Sequence[tuple[str, str, Interval, str]], key: str) -> Gaps:
    """Differences with a mark and an interval each.

    Args:
        rows: name, letter, difference and the class that gives its colour.
        key: the metric that differs.
    """
    ends = [end for _, _, found, _ in rows for end in (found.value, found.low, found.high)]
    scale = Scale([0.0, *ends], key)
    written = signed_percent if is_percent(key) else signed
    return Gaps(
        tuple(
            Gap(name, letter, points(float(found), key), difference(found, key), kind, whisker(found, scale))
            for name, letter, found, kind in rows
        ),
        scale.at(0.0),
        tuple(Tick(scale.at(value), _plain(written(value))) for value in scale.values),
    )


def _plain(text: str) -> str:
    """A tick without decimals that say nothing: "−20" for "−20.0"."""
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
