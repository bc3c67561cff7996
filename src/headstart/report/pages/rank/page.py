"""The page of a ranking: its sections, in the order of a reader's questions."""

from __future__ import annotations

from headstart.report.pages.rank.report import RankReport
from headstart.report.pages.rank.words import cells, sentence, titles
from headstart.report.shell import Page, Section
from headstart.report.shell.page import Table


def page(report: RankReport) -> Page:
    """The page of a ranking."""
    columns = tuple((title, column >= 2) for column, title in enumerate(titles(report)))
    rows = tuple(cells(report, each) for each in report.ranking.ranked)
    table = Table("Sources", columns, rows)
    lead = Section("result", report.ranking.advice, "rank/result.html.j2", table)
    return Page(report.facts.run, report.facts.created, sentence(report), lead, ())
