"""What a run's threshold gives on the items it was measured on, for the terminal and as a notice of a page."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report.items.report import MeasuredReport
from headstart.report.shell import Notice
from headstart.report.terminal import wrapped
from headstart.report.words import interval, listed, number
from headstart.runs.decision import SCORES


def threshold_block(report: MeasuredReport, width: int) -> Iterator[str]:
    """The threshold and its scores, as lines for the terminal; nothing for a run without one.

    Args:
        report: of the run.
        width: columns; longer sentences are wrapped.
    """
    decision = report.decision
    if decision is None:
        return
    rows = [
        (SCORES[name], number(score.value), interval(score) or report.why_no_interval(score))
        for name, score in decision.scores.items()
    ]
    first = max((len(name) for name, *_ in rows), default=0)
    lines = [f"  {name:<{first}}  {value:>6}  {between}".rstrip() for name, value, between in rows]
    yield "\n".join([wrapped(decision.words, width, "  "), *lines])


def threshold_notice(report: MeasuredReport) -> Iterator[Notice]:
    """The same as a notice, with which scores do not use the threshold.

    Args:
        report: of the run.
    """
    decision = report.decision
    if decision is None:
        return
    scores = []
    for name, score in decision.scores.items():
        ends = interval(score)
        scores.append(f"{SCORES[name].lower()} {number(score.value)}{f' ({ends})' if ends else ''}")
    usual = "the most probable class" if report.targets.task.one_per_item else "labels from one half on"
    yield Notice(
        "note",
        "Answers by a threshold",
        f"{decision.words}{f' On these items: {listed(scores)}.' if scores else ''} The other scores of this page "
        f"count {usual}.",
    )
