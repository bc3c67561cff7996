"""The page of a fit: its sections, in the order of a reader's questions."""

from __future__ import annotations

from headstart.report.background import cost_section, data_section
from headstart.report.items.calibration import calibration_section
from headstart.report.items.errors import errors_section
from headstart.report.items.labels_and_values import labels_section, values_section
from headstart.report.items.thresholds import thresholds_section
from headstart.report.items.worst import worst_section
from headstart.report.pages.fit.background import again_section, limits_section
from headstart.report.pages.fit.choices import (
    candidates_section,
    depth_section,
    history_section,
    stages_section,
)
from headstart.report.pages.fit.label_errors import label_errors_section
from headstart.report.pages.fit.report import FitReport
from headstart.report.pages.fit.result import result_section
from headstart.report.pages.fit.views import views_section
from headstart.report.pages.fit.words import sentence
from headstart.report.shell import Page

SECTIONS = (
    errors_section,
    labels_section,
    values_section,
    worst_section,
    label_errors_section,
    calibration_section,
    thresholds_section,
    depth_section,
    candidates_section,
    stages_section,
    history_section,
    views_section,
    data_section,
    cost_section,
    again_section,
    limits_section,
)


def page(report: FitReport) -> Page:
    """The page of a run."""
    sections = tuple(section for make in SECTIONS for section in make(report))
    return Page(report.facts.run, report.facts.created, sentence(report), result_section(report), sections)
