"""The positions of the marks of each chart, in percent of its plot; the templates draw them as HTML and SVG.

All marks are placed in percent so that a chart fits any width with its text at full size. Positions are
floats from 0 to 100, so no text of the data can get into the page's markup through them.
"""

from headstart.report.charts.believed import Believed, believed
from headstart.report.charts.classes import Moves, ShareChart, class_shares, moves
from headstart.report.charts.clouds import Clouds, clouds
from headstart.report.charts.costs import CostCandidate, Costs, costs
from headstart.report.charts.differences import Gaps, gaps
from headstart.report.charts.falls import Falls, falls
from headstart.report.charts.learning import Learned, LearningCurves, learning_curves
from headstart.report.charts.scale import Scale, Tick, Whisker, nice_ticks, whisker
from headstart.report.charts.scores import Comparison, Depth, ReliabilityBar, comparison, depth, reliability
from headstart.report.charts.series import (
    Curves,
    RateCurve,
    Scatter,
    Span,
    curves,
    rate_curve,
    scatter,
    spans,
)

__all__ = [
    "Believed",
    "Clouds",
    "Comparison",
    "CostCandidate",
    "Costs",
    "Curves",
    "Depth",
    "Falls",
    "Gaps",
    "Learned",
    "LearningCurves",
    "Moves",
    "RateCurve",
    "ReliabilityBar",
    "Scale",
    "Scatter",
    "ShareChart",
    "Span",
    "Tick",
    "Whisker",
    "believed",
    "class_shares",
    "clouds",
    "comparison",
    "costs",
    "curves",
    "depth",
    "falls",
    "gaps",
    "learning_curves",
    "moves",
    "nice_ticks",
    "rate_curve",
    "reliability",
    "scatter",
    "spans",
    "whisker",
]
