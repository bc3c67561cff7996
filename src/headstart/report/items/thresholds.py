"""How recall, precision and false alarms of a class trade against each other over the threshold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.metrics import Interval, Units
from headstart.metrics.operating import THRESHOLDS, OperatingPoint, operating_points
from headstart.report.charts.scale import polyline
from headstart.report.items.report import MeasuredReport
from headstart.report.shell import Section, Table
from headstart.report.words import interval, number

_MOST_POINTS = 500  # of a curve
_HALF = 0.5  # of two classes, without a threshold of one's own


@dataclass(frozen=True)
class Dot:
    """The point of one threshold, in percent of the plot, and its tooltip."""

    x: float
    y: float
    text: str
    is_used: bool


@dataclass(frozen=True)
class Curve:
    """A curve with the points of the table on it.

    Attributes:
        title, across, up: of the plot and its axes.
        line: as SVG points.
        chance: where the line that chance gives begins at the left and ends at the right, as heights in percent.
        dots: at the thresholds of the table.
    """

    title: str
    across: str
    up: str
    line: str
    chance: tuple[float, float]
    dots: Sequence[Dot]


@dataclass(frozen=True)
class Thresholds:
    """The section: two curves and a table."""

    curves: Sequence[Curve]
    table: Table


def thresholds_section(report: MeasuredReport) -> Iterator[Section]:
    """The section, if there are two classes and items of both, or the run has a threshold."""
    held_out, classes, decision = report.held_out, report.facts.classes, report.decision
    two = report.targets.task.one_per_item and len(classes) == 2
    if not len(held_out) or not (two or decision):
        return
    column = report.positive if decision is None else classes.index(decision.threshold.name)
    positive = report.targets.has(held_out.codes, classes[column])
    probabilities = held_out.outputs[:, column].astype(np.float64)
    if positive.all() or not positive.any():
        return
    units, name = Units.of(held_out.units, len(held_out)), classes[column]
    used = _HALF if decision is None else decision.threshold.value
    points = operating_points(positive, probabilities, units, sorted({*THRESHOLDS, used}))
    curves = [_roc(positive, probabilities, points, used), _pr(positive, probabilities, points, used)]
    content = Thresholds(curves, _table(points, name, used))
    deck = (
        f"An item is called “{name}” if its probability reaches a threshold; one half is the usual one."
        if decision is None
        else decision.words
    )
    deck += (
        f" A lower threshold finds more of “{name}” and raises more false alarms. These items chose none of the "
        "thresholds below: one that is picked because it looks best here will do less well on other items."
    )
    yield Section("thresholds", "Thresholds", "items/thresholds.html.j2", content, deck)


def _roc(
    positive: np.ndarray, probabilities: np.ndarray, points: Sequence[OperatingPoint], used: float
) -> Curve:
    from sklearn.metrics import roc_curve

    across, up, _ = roc_curve(positive, probabilities, drop_intermediate=False)
    dots = [_dot(each, each.false_alarms, each.recall, used) for each in points]
    return Curve(
        "ROC curve", "false alarms, share of the other class", "recall", _line(across, up), (0.0, 100.0), dots
    )


def _pr(
    positive: np.ndarray, probabilities: np.ndarray, points: Sequence[OperatingPoint], used: float
) -> Curve:
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(positive, probabilities)
    share = round(100 * float(positive.mean()), 2)
    dots = [
        _dot(each, each.recall, each.precision, used) for each in points if each.precision.value is not None
    ]
    return Curve(
        "Precision-recall curve", "recall", "precision", _line(recall, precision), (share, share), dots
    )


def _line(across: np.ndarray, up: np.ndarray) -> str:
    keep = np.unique(np.linspace(0, len(across) - 1, min(len(across), _MOST_POINTS)).round().astype(int))
    return polyline(zip((100 * across[keep]).tolist(), (100 * up[keep]).tolist(), strict=True))


def _dot(point: OperatingPoint, across: Interval, up: Interval, used: float) -> Dot:
    text = (
        f"from {point.threshold:.3g}: recall {number(point.recall.value)}, precision {number(point.precision.value)}, "
        f"false alarms {number(point.false_alarms.value)}"
    )
    return Dot(round(100 * float(across), 2), round(100 * float(up), 2), text, point.threshold == used)


def _table(points: Sequence[OperatingPoint], name: str, used: float) -> Table:
    columns = (
        ("Threshold", False),
        (f"Called “{name}”", True),
        ("Recall", True),
        ("Precision", True),
        ("False alarms", True),
    )
    rows = tuple(
        (
            f"{each.threshold:.3g}{' (used)' if each.threshold == used else ''}",
            f"{each.n_called:,}",
            *(_cell(score) for score in (each.recall, each.precision, each.false_alarms)),
        )
        for each in points
    )
    return Table("Recall, precision and false alarms by threshold, with 95% intervals", columns, rows)


def _cell(score: Interval) -> str:
    ends = interval(score)
    return f"{number(score.value)}{f' ({ends})' if ends else ''}"
