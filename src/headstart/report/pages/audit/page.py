"""The page of an audit: its sections, in the order of a reader's questions."""

from __future__ import annotations

from headstart.report.background import data_section
from headstart.report.pages.audit.background import (
    again_section,
    cost_section,
    limits_section,
    methods_section,
)
from headstart.report.pages.audit.curves import curves_section
from headstart.report.pages.audit.gains import baselines_section, gains_section, others_section
from headstart.report.pages.audit.report import AuditReport
from headstart.report.pages.audit.result import result_section
from headstart.report.pages.audit.saved import saved_section
from headstart.report.shell import Page

SECTIONS = (
    curves_section,
    gains_section,
    saved_section,
    baselines_section,
    others_section,
    methods_section,
    data_section,
    cost_section,
    again_section,
    limits_section,
)


def page(report: AuditReport) -> Page:
    """The page of an audit."""
    sections = tuple(section for make in SECTIONS for section in make(report))
    return Page(
        report.facts.run, report.facts.created, report.audit.sentence, result_section(report), sections
    )
