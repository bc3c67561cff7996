"""The report of explanations: whether they carry information, and each item with what its prediction depends on."""

from headstart.report.pages.explain.page import page
from headstart.report.pages.explain.report import ExplainReport
from headstart.report.pages.explain.summary import end_block

__all__ = ["ExplainReport", "end_block", "page"]
