"""The report of an adaptation: what was gained, why this method, what kind of shift it is, and what to do next."""

from headstart.report.pages.adapt.page import page
from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.pages.adapt.summary import end_block

__all__ = ["AdaptReport", "end_block", "page"]
