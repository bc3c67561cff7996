"""The section on the methods: what each does, what selectors say without labels, and the truth beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headstart.metrics import Interval
from headstart.report.charts import Believed, Gaps, Scale, believed, gaps
from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.pages.adapt.words import (
    SELECTORS,
    SELECTORS_SAY,
    as_code,
    does_words,
    same_words,
    score_words,
    selector_words,
    sentence_case,
)
from headstart.report.shell import Section, Table
from headstart.report.words import interval, is_percent, lowered, number, points
from headstart.runs.adaptation import SOURCE_ONLY, MethodRow


@dataclass(frozen=True)
class Tried:
    """One method as a row of the list: what it does, and what is known of it."""

    letter: str
    name: str
    label: str
    does: str
    kind: str
    is_returned: bool
    is_unused: bool


@dataclass(frozen=True)
class Said:
    """What one selector says, beside the truth; `reads` says how good its first place is."""

    name: str
    chart: Believed
    reads: str


@dataclass(frozen=True)
class Methods:
    """All methods; `why` says why one was returned."""

    why: Sequence[str]
    rows: Sequence[Tried]
    unit: str
    better: str
    gains: Gaps | None
    has_intervals: bool
    said: Sequence[Said]
    metric: str
    table: Table
    selectors: Sequence[tuple[str, str]]


def methods_section(report: AdaptReport) -> Iterator[Section]:
    """The section on methods."""
    compared = [
        row for row in report.found.methods[1:] if row.gain is not None and row.gain.value is not None
    ]
    metric = lowered(report.metric.label)
    content = Methods(
        [as_code(sentence_case(report.found.reason)), _how(report)],
        [_tried(report, row) for row in report.found.methods],
        f"{metric}, in points" if is_percent(report.metric.key) else metric,
        "right" if report.sign > 0 else "left",
        _gains(report, compared) if compared else None,
        any(row.gain is not None and row.gain.low is not None for row in compared),
        _said(report),
        metric,
        _table(report),
        [(SELECTORS[name], SELECTORS_SAY[name]) for name in report.selectors if name in SELECTORS],
    )
    yield Section("methods", "Methods", "adapt/methods.html.j2", content, _takeaway(report))


def _how(report: AdaptReport) -> str:
    if report.found.chosen_by != "auto":
        return (
            "It was named with the command. With `--method auto` it is chosen, without labels of the target."
        )
    return (
        "The default for this kind of shift is returned, unless its circular validation is more than 2 points behind "
        "that of source only. No label of the target took part."
    )


def _tried(report: AdaptReport, row: MethodRow) -> Tried:
    returned = row.name == report.found.method
    return Tried(
        report.letters[row.name],
        row.name,
        row.label,
        does_words(row),
        report.kind(row),
        returned,
        bool(row.note),
    )


def _gains(report: AdaptReport, rows: Sequence[MethodRow]) -> Gaps:
    return gaps(
        [(row.name, report.letters[row.name], row.gain, report.kind(row)) for row in rows if row.gain],
        report.metric.key,
    )


def _takeaway(report: AdaptReport) -> str:
    """Which method was the best by the target's labels, where there are any; no choice knew it."""
    key = report.metric.key
    known = [row for row in report.found.methods if row.truth is not None and row.truth.value is not None]
    if len(known) < 2:
        return (
            ""
            if report.is_scored or not report.selectors
            else "The target has no labels: the methods can be compared only by what selectors say."
        )
    sign = report.sign
    best = max(known, key=lambda row: sign * float(row.truth or 0.0))
    returned = report.found.returned
    value = number(float(best.truth or 0.0), key)
    if best is returned:
        return f"The method that was returned, {returned.name}, is also the best by the target's labels: {value}."
    missed = points(abs(float(best.truth or 0.0) - float(returned.truth or 0.0)), key).removeprefix("+")
    return (
        f"By the target's labels, which no choice saw, {_called(best)} would have been the best: {value}, {missed} "
        "better than what is returned."
    )


def _called(row: MethodRow) -> str:
    """A method inside a sentence or a tip: its text, which is shorter than its label."""
    return "source only" if row.name == SOURCE_ONLY else row.name


def _said(report: AdaptReport) -> list[Said]:
    """What each selector says beside the truth, if labels are known."""
    key = report.metric.key
    known = [row for row in report.found.methods if row.truth is not None and row.truth.value is not None]
    if len(known) < 2 or not report.selectors:
        return []
    scale = Scale.of_scores((row.truth for row in known if row.truth), key)
    found = []
    for name in report.selectors:
        rows = [row for row in known if selector_words(row, name)]
        if len(rows) < 2:
            continue
        marks = [
            (
                report.letters[row.name],
                report.kind(row),
                row.scores[name],
                row.truth,
                f"{_called(row)}: {SELECTORS.get(name, name)} {selector_words(row, name)}, {score_words(report, row)}",
            )
            for row in rows
            if row.truth
        ]
        title = SELECTORS.get(name, name)
        found.append(
            Said(title[:1].upper() + title[1:], believed(marks, key, scale), _reads(report, rows, name))
        )
    return found


def _reads(report: AdaptReport, rows: Sequence[MethodRow], name: str) -> str:
    """The method that a selector puts first, and its place by the truth."""
    first = max(rows, key=lambda row: row.scores[name])
    sign = report.sign
    better = sum(sign * float(row.truth or 0.0) > sign * float(first.truth or 0.0) for row in rows)
    place = "the best" if not better else f"place {better + 1} of {len(rows)}"
    return f"puts {report.letters[first.name]} first: in truth {place}"


def _table(report: AdaptReport) -> Table:
    key = report.metric.key
    columns = [("Method", False)]
    columns += [(SELECTORS.get(name, name), True) for name in report.selectors]
    if report.is_scored:
        columns += [(report.metric.label, True), ("95% interval", True)]
    columns += [("Same answers", True), ("Seconds", True)]
    rows = []
    for row in report.found.methods:
        cells = [f"{report.letters[row.name]}  {row.name}"]
        cells += [selector_words(row, name) for name in report.selectors]
        if report.is_scored:
            known = row.truth is not None and row.truth.value is not None
            cells += [
                number(float(row.truth or 0.0), key) if known else "",
                interval(row.truth or Interval(None), key),
            ]
        rows.append((*cells, same_words(row), f"{row.seconds:.2f}"))
    return Table("Methods that were tried", tuple(columns), tuple(rows))
