"""The page of explanations: its sections, in the order of a reader's questions."""

from __future__ import annotations

from headstart.report.pages.explain.background import again_section, cost_section, limits_section
from headstart.report.pages.explain.items import items_section
from headstart.report.pages.explain.report import ExplainReport
from headstart.report.pages.explain.result import result_section
from headstart.report.shell import Page

SECTIONS = (items_section, limits_section, cost_section, again_section)


def page(report: ExplainReport) -> Page:
    """The page of explanations."""
    sections = tuple(section for make in SECTIONS for section in make(report))
    return Page(
        report.facts.run, report.facts.created, report.found.sentence, result_section(report), sections
    )
