"""The report of an evaluation: both scores, their change, and a section per question on the new items."""

from headstart.report.pages.evaluate.page import page
from headstart.report.pages.evaluate.report import EvaluateReport
from headstart.report.pages.evaluate.summary import end_block

__all__ = ["EvaluateReport", "end_block", "page"]
