"""The page of an evaluation: its sections, in the order of a reader's questions."""

from __future__ import annotations

from headstart.report.background import data_section
from headstart.report.items.calibration import calibration_section
from headstart.report.items.errors import errors_section
from headstart.report.items.labels_and_values import labels_section, values_section
from headstart.report.items.thresholds import thresholds_section
from headstart.report.items.worst import worst_section
from headstart.report.pages.evaluate.background import again_section, cost_section, limits_section
from headstart.report.pages.evaluate.changes import changes_section
from headstart.report.pages.evaluate.report import EvaluateReport
from headstart.report.pages.evaluate.result import result_section
from headstart.report.shell import Page

SECTIONS = (
    changes_section,
    errors_section,
    labels_section,
    values_section,
    worst_section,
    calibration_section,
    thresholds_section,
    data_section,
    cost_section,
    again_section,
    limits_section,
)


def page(report: EvaluateReport) -> Page:
    """The page of an evaluation."""
    sections = tuple(section for make in SECTIONS for section in make(report))
    return Page(
        report.facts.run, report.facts.created, report.found.sentence, result_section(report), sections
    )
