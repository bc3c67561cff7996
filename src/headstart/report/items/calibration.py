"""How often the model is right, by its stated confidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.metrics import Bin, Interval, calibration_bins, label_bins
from headstart.report.charts import ReliabilityBar, reliability
from headstart.report.items.report import MeasuredReport
from headstart.report.shell import Notice, Section, Table
from headstart.report.words import difference, interval, number, points
from headstart.units import UNITS, counted

MISCALIBRATED = 0.03  # the least calibration error, at the low end of its interval, that is warned of
UNKNOWN = 0.10  # with a calibration error from 0 to above this, too few items tell


@dataclass(frozen=True)
class Calibration:
    """The reliability diagram; `one` and `many` name what is counted."""

    caption: str
    bars: Sequence[ReliabilityBar]
    one: str
    many: str
    table: Table


def calibration_of(report: MeasuredReport) -> Sequence[Bin]:
    """The bins of the reliability diagram; none for a quantity."""
    return bins_of(report, report.held_out.outputs)


def bins_of(report: MeasuredReport, outputs_NC: np.ndarray) -> Sequence[Bin]:
    """The bins of the reliability diagram of any probabilities of the measured items; none for a quantity.

    Args:
        report: of the items.
        outputs_NC: their probabilities, of shape (N, C).
    """
    task, held_out = report.targets.task, report.held_out
    if not task.has_classes or not len(held_out):
        return ()
    bins = label_bins if task.many_per_item else calibration_bins
    return bins(held_out.codes, outputs_NC, held_out.units)


def overconfidence(bins: Sequence[Bin]) -> str:
    """Whether the stated confidence is too high or too low, as a clause."""
    n_items = sum(b.n_items for b in bins)
    if not n_items:
        return "see the calibration section"
    gap = sum(b.n_items * (b.confidence - b.accuracy) for b in bins) / n_items
    if abs(gap) < 0.015:
        return "overall the confidence is right"
    way = "overconfident" if gap > 0 else "underconfident"
    return f"overall the model is {way}, by {100 * abs(gap):.1f} points"


def calibration_section(report: MeasuredReport) -> Iterator[Section]:
    """The section, if there are probabilities."""
    bins = calibration_of(report)
    if not any(b.n_items for b in bins):
        return
    by_label = report.targets.task.many_per_item
    caption = (
        "How often a label is present, by its stated probability"
        if by_label
        else "How often the model is right, by its stated confidence"
    )
    content = diagram(report, bins, caption)
    yield Section(
        "calibration", "Calibration", "items/calibration.html.j2", content, _takeaway(report, bins, by_label)
    )


def diagram(report: MeasuredReport, bins: Sequence[Bin], caption: str) -> Calibration:
    """The reliability diagram.

    Args:
        report: of the items.
        bins: of it.
        caption: what it shows.
    """
    by_label = report.targets.task.many_per_item
    many = "labels of items" if by_label else UNITS[report.data.modality]
    bars = reliability(bins)
    return Calibration(caption, bars, many if by_label else many.removesuffix("s"), many, _table(bars, many))


def calibration_notice(report: MeasuredReport) -> Iterator[Notice]:
    """The notice, if probabilities are wrong, or too few items tell."""
    error = report.score("calibration_error")
    if error is None:
        return
    if error.low is None or error.high is None:
        unknown = "There is no interval of the calibration error"
    elif error.low > MISCALIBRATED:
        yield Notice(
            "warning",
            "Do not read the probabilities literally",
            f"They are off by {number(error.value)} (95% interval {interval(error)}); "
            f"{overconfidence(calibration_of(report))}.",
        )
        return
    elif error.low == 0 and error.high > UNKNOWN:
        unknown = f"They may be off by up to {100 * error.high:.0f} points"
    else:
        return
    yield Notice(
        "note",
        "Too few items to tell whether the probabilities are right",
        f"{unknown}: use the probabilities to order items, not as chances.",
    )


def _table(bars: Sequence[ReliabilityBar], many: str) -> Table:
    columns = (
        ("Stated confidence", False),
        (many.capitalize(), True),
        ("Mean confidence", True),
        ("Right", True),
        ("95% interval", True),
    )
    rows = tuple(
        (
            f"{bar.left:.0f} to {bar.left + bar.width:.0f}%",
            str(bar.n_items),
            f"{bar.confidence:.1f}%",
            f"{bar.accuracy:.1f}%",
            bar.interval or "none",
        )
        for bar in bars
        if bar.n_items
    )
    return Table("Calibration by bin", columns, rows)


def _takeaway(report: MeasuredReport, bins: Sequence[Bin], by_label: bool) -> str:
    top = max((b for b in bins if b.n_items), key=lambda b: b.n_items)
    said, right = f"{100 * top.confidence:.0f}%", f"{100 * top.accuracy:.0f}%"
    ends = interval(top.right)
    between = f"95% interval {ends}" if ends else report.why_no_interval(top.right)
    error = report.score("calibration_error")
    if error is None or error.high is None or (not error.low and error.high > UNKNOWN):
        overall = "these items cannot tell whether it is sure too often overall"
    else:
        overall = overconfidence(bins) if error.low else "no clear over- or underconfidence overall"
    if by_label:
        found = (
            f"Labels that it gave about {said} were there {right} of the time "
            f"({counted(top.n_items, 'labels')} of items, {between})."
        )
    else:
        found = (
            f"Where it was about {said} sure, it was right {right} of the time "
            f"({report.counted(top.n_items)}, {between}); {overall}."
        )
    return f"{found}{_temperature(report)}"


def _temperature(report: MeasuredReport) -> str:
    """What temperature scaling did, as a sentence with a space before it."""
    found = report.record.extra.get("calibration")
    if not found:
        return ""
    temperature = f"{found['temperature']:.2g}"
    if "change" not in found:  # a head fitted by least squares
        return f" Its scores are not log probabilities: a temperature of {temperature} makes probabilities of them."
    if found["temperature"] == 1:
        return " Its scores were not rescaled (temperature 1)."
    change = Interval.of(found["change"]["log_loss"])
    ends = difference(change, "log_loss")
    between = f", 95% interval {ends}" if ends else ""
    before, after = (number(found[when]["log_loss"], "log_loss") for when in ("before", "after"))
    return (
        f" Its scores are divided by a temperature of {temperature}: the log loss is {after}, without that it would be "
        f"{before} (change {points(float(change), 'log_loss')}{between})."
    )
