"""What a page of a report consists of: plain frozen data classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from headstart.metrics import Interval, metric_named
from headstart.report.words import interval, number

Severity = Literal["note", "warning", "error"]


@dataclass(frozen=True)
class Notice:
    """A warning to read before trusting a number; text between backticks is shown as code."""

    severity: Severity
    title: str
    text: str


def in_order(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """The most serious notices first."""
    order = {"error": 0, "warning": 1, "note": 2}
    return tuple(sorted(notices, key=lambda notice: order[notice.severity]))


@dataclass(frozen=True)
class VerdictWords:
    """A verdict: its outcome ("positive", "negative" or "undecided"), a title and a sentence."""

    outcome: str
    title: str
    text: str


@dataclass(frozen=True)
class ScoreCard:
    """One score in large digits, with its interval (or why it is missing) and a line that explains the metric."""

    label: str
    value: str
    interval: str
    hint: str
    lower_is_better: bool
    missing: str = ""

    @classmethod
    def of(cls, key: str, score: Interval, missing: str = "") -> ScoreCard:
        """The card of a metric.

        Args:
            key: of the metric.
            score: with its interval.
            missing: why it has no interval, if so.
        """
        metric = metric_named(key)
        return cls(
            metric.label,
            number(score.value, key),
            interval(score, key),
            metric.hint,
            metric.better == "lower",
            missing,
        )


@dataclass(frozen=True)
class Table:
    """A table of texts; the first column names the row.

    Attributes:
        caption: for readers who do not see the table.
        columns: title of each column, and whether it holds numbers.
        rows: a text per column.
    """

    caption: str
    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """One section of a page.

    Attributes:
        key: its anchor.
        title: its heading.
        template: the template of what is below the heading; `it` is the content there.
        content: what the template draws.
        deck: one sentence under the heading.
        contents: its line in the contents; "": the heading.
    """

    key: str
    title: str
    template: str
    content: Any
    deck: str = ""
    contents: str = ""


@dataclass(frozen=True)
class Page:
    """A whole report.

    Attributes:
        run: the run's folder as the user would write it.
        created: date and time, as text.
        description: what was done, in one sentence.
        lead: the first section, which has no heading of the usual form.
        sections: the others, in order.
    """

    run: str
    created: str
    description: str
    lead: Section
    sections: Sequence[Section]
