"""The report of an audit: learning curves, what is saved, the verdict and its evidence."""

from headstart.report.pages.audit.page import page
from headstart.report.pages.audit.report import AuditReport
from headstart.report.pages.audit.summary import end_block

__all__ = ["AuditReport", "end_block", "page"]
