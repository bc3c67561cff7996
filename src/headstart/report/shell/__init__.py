"""The shell of every report: header, contents, sections, notices, cards, tables; whatever the kind of run."""

from headstart.report.shell.page import Notice, Page, ScoreCard, Section, Table, VerdictWords, in_order
from headstart.report.shell.render import render_page

__all__ = ["Notice", "Page", "ScoreCard", "Section", "Table", "VerdictWords", "in_order", "render_page"]
