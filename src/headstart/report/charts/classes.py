"""Charts with one row per class: shares in two domains, and shares of right answers before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.metrics import Interval
from headstart.report.charts.scale import Scale, Tick, Whisker, whisker


@dataclass(frozen=True)
class ShareRow:
    """A class with its share in the source, estimated in the target, and among the predictions."""

    name: str
    source: float
    target: Whisker | None
    predicted: float
    text: str
    badge: str


@dataclass(frozen=True)
class ShareChart:
    """Shares of the classes, one below the other."""

    rows: tuple[ShareRow, ...]
    ticks: tuple[Tick, ...]


def class_shares(rows: Sequence[tuple[str, float, Interval | None, float, str, str]]) -> ShareChart:
    """Three marks per class on one scale from 0.

    Args:
        rows: name, share in the source, estimated share in the target, share of the predictions, text of the tooltip,
            and a word that marks the class ("" for none).
    """
    ends = [
        end
        for _, source, target, predicted, _, _ in rows
        for end in (source, predicted, *(() if target is None else (target.value, target.low, target.high)))
    ]
    scale = Scale([0.0, *ends], "accuracy", 1.0)
    return ShareChart(
        tuple(
            ShareRow(
                name,
                scale.at(source),
                None if target is None or target.value is None else whisker(target, scale),
                scale.at(predicted),
                text,
                badge,
            )
            for name, source, target, predicted, text, badge in rows
        ),
        scale.ticks,
    )


@dataclass(frozen=True)
class Move:
    """A class whose share of right answers goes from one place to another."""

    name: str
    note: str
    before: float
    after: float
    kind: str
    value: str
    text: str

    @property
    def left(self) -> float:
        """Where the line between both begins."""
        return min(self.before, self.after)

    @property
    def width(self) -> float:
        """How long it is."""
        return round(abs(self.after - self.before), 3)


@dataclass(frozen=True)
class Moves:
    """Shares of right answers before and after, one class below the other."""

    rows: tuple[Move, ...]
    ticks: tuple[Tick, ...]


def moves(rows: Sequence[tuple[str, str, float, float, str, str]]) -> Moves:
    """Two marks per class on a scale from 0 to 1, and a line between them.

    Args:
        rows: name, note, share before, share after, the change as text, and the text of the tooltip.
    """
    scale = Scale([0.0, 1.0], "accuracy", 1.0)
    return Moves(
        tuple(
            Move(
                name,
                note,
                scale.at(before),
                scale.at(after),
                "gain" if after > before else "loss" if after < before else "same",
                value,
                text,
            )
            for name, note, before, after, value, text in rows
        ),
        scale.ticks,
    )
