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
        diagram(report, bins, f"{name}: {caption}")
        for name, bins, caption in (
            ("Before", before, overconfidence(before)),
            ("After", after, overconfidence(after)),
        )
    ]
    yield Section(
        "calibration", "Calibration", "calibrate/diagrams.html.j2", shown, _deck(report, before, after)
    )


def _deck(report: CalibrateReport, before: Sequence[Bin], after: Sequence[Bin]) -> str:
    old, new = report.before(_KEY), report.score(_KEY)
    if old is None or new is None:
        return "How often the run is right, by its stated confidence."
    ends = [f" (95% interval {interval(each)})" if interval(each) else "" for each in (old, new)]
    return (
        f"The stated probabilities are off by {number(old.value)}{ends[0]} before the correction, and by "
        f"{number(new.value)}{ends[1]} after it, where what chance explains is left out."
    )
