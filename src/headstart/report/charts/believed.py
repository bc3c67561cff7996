"""Chart of what a selector says against what is true: one mark per method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.metrics import Interval
from headstart.report.charts.scale import Scale, Tick, Whisker, whisker


@dataclass(frozen=True)
class BelievedDot:
    """A method: its letter, its place, and what its tooltip says."""

    letter: str
    x: float
    mark: Whisker
    kind: str
    text: str


@dataclass(frozen=True)
class Believed:
    """Truth over what a selector says."""

    dots: tuple[BelievedDot, ...]
    ticks: tuple[Tick, ...]
    first: str
    last: str


def believed(
    rows: Sequence[tuple[str, str, float, Interval, str]], key: str, scale: Scale | None = None
) -> Believed:
    """Each method's true score over its selector's score.

    Args:
        rows: letter, the class that gives its colour, the selector's score, the true score, and the tooltip; at least
            one.
        key: the metric of the true scores.
        scale: of the true scores, shared with other charts; None: one for these.
    """
    said = [score for _, _, score, _, _ in rows]
    low, width = min(said), max(said) - min(said)
    scale = scale or Scale.of_scores((truth for *_, truth, _ in rows), key)

    def across(score: float) -> float:
        # a letter is never on the edge
        return round(8 + 84 * (score - low) / width, 3) if width > 1e-9 else 50.0

    return Believed(
        tuple(
            BelievedDot(letter, across(score), whisker(truth, scale), kind, text)
            for letter, kind, score, truth, text in rows
        ),
        scale.ticks,
        f"{low:.3g}".replace("-", "−"),
        f"{low + width:.3g}".replace("-", "−"),
    )
