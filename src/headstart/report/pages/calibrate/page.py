"""The page of a calibration: its sections, in the order of a reader's questions."""

from __future__ import annotations

from headstart.report.background import data_section
from headstart.report.pages.calibrate.background import again_section, cost_section, limits_section
from headstart.report.pages.calibrate.correction import candidates_section, correction_section
from headstart.report.pages.calibrate.diagrams import diagrams_section
from headstart.report.pages.calibrate.report import CalibrateReport
from headstart.report.pages.calibrate.result import result_section
from headstart.report.pages.calibrate.scores import scores_section
from headstart.report.shell import Page

SECTIONS = (
    diagrams_section,
    scores_section,
    correction_section,
    candidates_section,
    data_section,
    cost_section,
    again_section,
    limits_section,
)


def page(report: CalibrateReport) -> Page:
    """The page of a calibration."""
    sections = tuple(section for make in SECTIONS for section in make(report))
    return Page(
        report.facts.run, report.facts.created, report.found.sentence, result_section(report), sections
    )
