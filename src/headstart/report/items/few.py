"""Notices where scores rest on few groups or few items."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report.items.report import MeasuredReport
from headstart.report.shell import Notice
from headstart.units import counted

FEW_GROUPS = 10
SMALL_TEST = 50


def few_groups_notice(report: MeasuredReport, remedy: str = "") -> Iterator[Notice]:
    """The notice, if the scores rest on few groups.

    Args:
        report: of the result.
        remedy: what to do, in a sentence.
    """
    n_groups = None if report.measured is None else report.measured.n_groups
    if n_groups is None or report.n_units >= FEW_GROUPS:
        return
    group = report.data.group or "group"
    title = f"The scores rest on {counted(n_groups, 'values')} of '{group}'"
    if report.n_units < n_groups:
        title = f"The scores rest on {counted(report.n_units, 'independent groups')}"
    text = "Items of one group are not independent, and so few groups say little about a new one."
    if report.n_units < n_groups:
        text += f" There are {n_groups} values of '{group}', but some share copies of an item, so they count as one."
    yield Notice("warning", title, f"{text} {remedy}".rstrip())


def few_items_notice(report: MeasuredReport, what: str = "Few held-out items") -> Iterator[Notice]:
    """The notice, if there are few items.

    Args:
        report: of the result.
        what: its title.
    """
    n_test, n_units = report.record.n_test or 0, report.n_units
    grouped = report.measured is not None and report.measured.n_groups is not None
    n_different = n_test if grouped else n_units  # groups have a notice of their own
    if 0 < n_different < SMALL_TEST:
        copies = f" that differ ({n_test:,} with their copies)" if n_different < n_test else ""
        yield Notice("warning", what, f"Only {report.counted(n_different)}{copies}: {_how_to_read(report)}.")


def _how_to_read(report: MeasuredReport) -> str:
    score = report.score(report.headline)
    if score is None or score.low is None:
        return "other items would give other scores, and no interval says how different"
    return "read the intervals, not the scores"
