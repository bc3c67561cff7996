"""The page of an adaptation: its sections, in the order of a reader's questions."""

from __future__ import annotations

from headstart.report.background import data_section
from headstart.report.pages.adapt.background import again_section, cost_section, limits_section
from headstart.report.pages.adapt.classes import classes_section
from headstart.report.pages.adapt.domains import domains_section
from headstart.report.pages.adapt.methods import methods_section
from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.pages.adapt.result import result_section
from headstart.report.pages.adapt.shift import shift_section
from headstart.report.pages.adapt.todo import todo_section
from headstart.report.shell import Page

SECTIONS = (
    methods_section,
    classes_section,
    shift_section,
    domains_section,
    todo_section,
    data_section,
    cost_section,
    again_section,
    limits_section,
)


def page(report: AdaptReport) -> Page:
    """The page of an adaptation."""
    sections = tuple(section for make in SECTIONS for section in make(report))
    return Page(
        report.facts.run, report.facts.created, report.found.sentence, result_section(report), sections
    )
