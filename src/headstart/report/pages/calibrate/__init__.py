"""The report of a calibration: scores before and after, the correction, both reliability diagrams."""

from headstart.report.pages.calibrate.page import page
from headstart.report.pages.calibrate.report import CalibrateReport
from headstart.report.pages.calibrate.summary import end_block

__all__ = ["CalibrateReport", "end_block", "page"]
