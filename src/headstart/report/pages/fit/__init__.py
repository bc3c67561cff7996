"""The report of a fit: sentence, score beside the baselines, verdict, and a section per question a reader has."""

from headstart.report.pages.fit.page import page
from headstart.report.pages.fit.report import FitReport, HeldOut
from headstart.report.pages.fit.summary import end_block

__all__ = ["FitReport", "HeldOut", "end_block", "page"]
