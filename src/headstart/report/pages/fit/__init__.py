"""The report of a fit: summary, score and baselines, verdict, and one section per question of a reader."""

from headstart.report.items.report import HeldOut
from headstart.report.pages.fit.page import page
from headstart.report.pages.fit.report import FitReport
from headstart.report.pages.fit.summary import end_block

__all__ = ["FitReport", "HeldOut", "end_block", "page"]
