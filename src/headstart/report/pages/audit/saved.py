"""What transfer saves at equal score, against each baseline."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report.pages.audit.report import AuditReport
from headstart.report.pages.audit.words import Factor, labels_factor, time_factor, took
from headstart.report.shell import Section, Table
from headstart.report.words import number
from headstart.runs.audit import Saved


def saved_section(report: AuditReport) -> Iterator[Section]:
    """The section with labels and time, if a baseline learns anything."""
    if not report.audit.saved:
        return
    columns = (
        ("Against", False),
        ("Labels saved", False),
        ("Time", False),
        ("Its score", True),
        ("Its labels", True),
        ("Labels of transfer", True),
        ("Its time", True),
        ("Time of transfer", True),
    )
    rows = tuple(_row(report, each) for each in report.audit.saved.values())
    deck = (
        "What transfer needs for the score that each baseline has with its largest number of labels. Time counts the "
        "extraction of features and learning, not the work of labelling."
    )
    table = Table("Labels and time for the same score", columns, rows)
    yield Section("saved", "What is saved", "audit/table.html.j2", table, deck)


def _row(report: AuditReport, saved: Saved) -> tuple[str, ...]:
    labels, time = labels_factor(report, saved), time_factor(saved)
    reached = saved.bound != "not reached"
    n_labels, seconds = saved.n_transfer.value, saved.seconds_transfer.value
    return (
        report.names[saved.against],
        _with(labels),
        _with(time),
        number(saved.level, report.audit.metric),
        f"{saved.n_labels:,}",
        f"{round(n_labels):,}" if reached and n_labels is not None else "not reached",
        took(saved.seconds),
        took(seconds) if reached and seconds is not None else "not reached",
    )


def _with(found: Factor) -> str:
    """A factor with its interval; the number of labels has a column of its own."""
    return f"{found.value} ({found.ends})" if found.ends else found.value
