"""The page of an audit: its sections, in the order of a reader's questions."""

from __future__ import annotations

from headstart.report.background import data_section
from headstart.report.pages.audit.report import AuditReport
from headstart.report.shell import Page

SECTIONS = (data_section,)


def page(report: AuditReport) -> Page:
    """The page of an audit."""
    from headstart.report.pages.audit.result import result_section

    sections = tuple(section for make in SECTIONS for section in make(report))
    return Page(
        report.facts.run, report.facts.created, report.audit.sentence, result_section(report), sections
    )
