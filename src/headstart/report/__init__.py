"""The report of a run: one HTML file that opens offline, and the block of text that ends a command."""

from headstart.report.context import (
    CalibrationBin,
    Candidate,
    HistoryPoint,
    Notice,
    ProfilePoint,
    ReportContext,
    Score,
    WrongItem,
)
from headstart.report.media import hardest_items, worst_items
from headstart.report.render import render
from headstart.report.summary import end_block

__all__ = [
    "CalibrationBin",
    "Candidate",
    "HistoryPoint",
    "Notice",
    "ProfilePoint",
    "ReportContext",
    "Score",
    "WrongItem",
    "end_block",
    "hardest_items",
    "render",
    "worst_items",
]
