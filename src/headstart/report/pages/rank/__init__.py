"""The report of a ranking: the table of sources, cost against accuracy, and the depth profiles."""

from headstart.report.pages.rank.page import page
from headstart.report.pages.rank.report import RankReport
from headstart.report.pages.rank.summary import end_block

__all__ = ["RankReport", "end_block", "page"]
