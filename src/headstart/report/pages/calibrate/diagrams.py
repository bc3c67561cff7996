"""The reliability diagram before and after the correction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headstart.metrics import Bin
from headstart.report.items.calibration import Calibration, bins_of, diagram, overconfidence
from headstart.report.pages.calibrate.report import CalibrateReport
from headstart.report.shell import Section
from headstart.report.words import interval, number

_KEY = "calibration_error"


def diagrams_section(report: CalibrateReport) -> Iterator[Section]:
    """The section with both diagrams."""
    before, after = bins_of(report, report.before_NC), bins_of(report, report.held_out.outputs)
    shown: Sequence[Calibration] = [
        diagram(report, bins, name)
        for name, bins in (("Before the correction", before), ("After the correction", after))
    ]
    deck = _deck(report, before, after)
    title = "Stated and true confidence"
    yield Section("calibration", title, "calibrate/diagrams.html.j2", shown, deck, "Reliability")


def _deck(report: CalibrateReport, before: Sequence[Bin], after: Sequence[Bin]) -> str:
    old, new = report.before(_KEY), report.score(_KEY)
    found = f"Before: {overconfidence(before)}. After: {overconfidence(after)}."
    if old is None or new is None:
        return found
    ends = [f" (95% interval {interval(each)})" if interval(each) else "" for each in (old, new)]
    was, now = (
        f"off by {number(each.value)}{between}" if each.value else f"not off beyond chance{between}"
        for each, between in zip((old, new), ends, strict=True)
    )
    what = "Where what chance explains is left out, the probabilities of the answers"
    return f"{found} {what} were {was}, and are {now}."
