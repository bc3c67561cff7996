"""The page of a ranking: its sections, in the order of a reader's questions."""

from __future__ import annotations

from headstart.report.background import data_section
from headstart.report.pages.rank.background import again_section, cost_section, limits_section
from headstart.report.pages.rank.comparisons import apart_section, price_section, scores_section
from headstart.report.pages.rank.depths import depths_section
from headstart.report.pages.rank.partial import partial_section
from headstart.report.pages.rank.report import RankReport
from headstart.report.pages.rank.result import result_section
from headstart.report.pages.rank.words import sentence
from headstart.report.shell import Page

SECTIONS = (
    apart_section,
    price_section,
    depths_section,
    partial_section,
    scores_section,
    data_section,
    cost_section,
    again_section,
    limits_section,
)


def page(report: RankReport) -> Page:
    """The page of a ranking."""
    sections = tuple(section for make in SECTIONS for section in make(report))
    return Page(report.facts.run, report.facts.created, sentence(report), result_section(report), sections)
