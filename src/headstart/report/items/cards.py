"""Scores in large digits: the leading one, and every other metric of the catalogue."""

from __future__ import annotations

from headstart.metrics import METRICS, Interval
from headstart.report.items.report import MeasuredReport
from headstart.report.shell import ScoreCard


def card(report: MeasuredReport, key: str, score: Interval) -> ScoreCard:
    """The card of a metric, with the reason if it has no interval."""
    return ScoreCard.of(key, score, missing=report.why_no_interval(score))


def leading_card(report: MeasuredReport) -> ScoreCard | None:
    """The card of the leading metric; None if it is not defined."""
    score = report.score(report.headline)
    return None if score is None else card(report, report.headline, score)


def other_cards(report: MeasuredReport) -> list[ScoreCard]:
    """The cards of the other metrics that are defined."""
    scores = [(key, report.score(key)) for key in METRICS if key != report.headline]
    return [card(report, key, score) for key, score in scores if score is not None]
