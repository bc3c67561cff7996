"""Time, how to make a calibration again, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report import background
from headstart.report.pages.calibrate.report import CalibrateReport
from headstart.report.shell import Section

PHASES = {
    **background.PHASES,
    "source": "read the network",
    "predict": "predict the items",
    "calibrate": "fit corrections",
}


def cost_section(report: CalibrateReport) -> Iterator[Section]:
    """The section on time and memory."""
    yield from background.cost_section(report, PHASES)


def again_section(report: CalibrateReport) -> Iterator[Section]:
    """The section with the command that makes the calibration again."""
    facts = {"Run": report.found.run, "Data": report.data.name, "Labels": report.data.target}
    yield background.again_section(report, report.facts.command, facts)


def limits_section(report: CalibrateReport) -> Iterator[Section]:
    """How the numbers were computed, and what they do not say."""
    n_items = report.counted(report.found.n_items)
    found = [
        f"Scores after the correction are by {report.found.n_folds}-fold cross-validation: each item is predicted by a "
        "correction that was fitted without it, and items that belong together lie in one fold. The run itself holds "
        f"the correction that was fitted to all {n_items}.",
        "A correction counts as better only if the 95% interval of the change of the log loss lies below 0. The one "
        "that is best on these items is chosen, so that its score is too good, by much with fewer than about 100 "
        "items: score the run on other items.",
        *background.limits_of_data(report.data, f"these ({n_items})"),
        "If the classes have other shares where the run is used, its biases are wrong there: calibrate again with "
        "items from there.",
    ]
    yield Section("limits", "How it was computed, and its limits", "shell/prose.html.j2", found, "", "Limits")
