"""Sentences and cells of an adaptation, for the page and for the terminal."""

from __future__ import annotations

from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.words import difference, interval, number, points
from headstart.runs.adaptation import MethodRow

SELECTORS = {
    "circular": "circular validation",
    "importance_weighted": "importance-weighted validation",
    "dev": "DEV",
    "nuclear_norm": "nuclear norm",
    "infomax": "InfoMax",
    "class_ami": "ClassAMI",
}


def score_words(report: AdaptReport, row: MethodRow) -> str:
    """Its score on the target's labels with the interval; "" without labels."""
    if row.truth is None or row.truth.value is None:
        return ""
    ends = interval(row.truth, report.metric.key)
    return f"{number(row.truth.value, report.metric.key)}{f' ({ends})' if ends else ''}"


def gain_words(report: AdaptReport, row: MethodRow) -> str:
    """Its gain over source only with the interval; "" without labels, and for source only."""
    if row.gain is None or row.gain.value is None:
        return ""
    ends = difference(row.gain, report.metric.key)
    return f"{points(row.gain.value, report.metric.key)}{f' ({ends})' if ends else ''}"


def selector_words(row: MethodRow, name: str) -> str:
    """What a selector says of a method; "" if it was not asked."""
    value = row.scores.get(name)
    return "" if value is None else f"{value:.3f}"
