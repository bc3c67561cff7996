"""The plain text that ends `headstart adapt`: the sentence, the methods, the shift, warnings, what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headstart.progress import printable
from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.pages.adapt.words import (
    SELECTORS,
    SHORT,
    score_words,
    selector_words,
    sentence_case,
    to_measure,
)
from headstart.report.terminal import WIDTH, fitting, places, wrapped
from headstart.report.words import difference, is_percent, listed, lowered, number, points
from headstart.runs.adaptation import MethodRow

_NAME = 32  # columns that the name of a method may take
Column = Sequence[str]  # a title, then a text per method


def end_block(report: AdaptReport, width: int = WIDTH, has_report: bool = True) -> str:
    """Write the end of an adaptation for the terminal.

    Args:
        report: of the adaptation.
        width: columns; longer sentences are wrapped, selectors that do not fit are left out.
        has_report: whether report.html was written.

    Returns:
        Lines of plain text without colours or control characters.
    """
    found = report.found
    blocks = [
        wrapped(found.sentence, width),
        wrapped(sentence_case(found.reason), width, "  "),
        _methods(report, width),
    ]
    lines = list(_findings(report))
    if lines:
        blocks.append("\n".join(wrapped(line, width, "  ", "    ") for line in lines))
    files = (*(("report.html",) if has_report else ()), "predictions.parquet", "methods.csv", "metrics.json")
    blocks.append(places(report.facts.run, files, report.next_command))
    return printable("\n\n".join(blocks) + "\n")


def _findings(report: AdaptReport) -> Iterator[str]:
    """Warnings, notes (the kind of shift among them), and what to do where nothing can be scored."""
    found = report.found
    yield from (f"! {text}" for text in found.warnings)
    yield from (f"- {text}" for text in found.notes)
    if not report.is_scored and (text := to_measure(report)):
        yield f"- {text}"
    if found.to_label:
        yield (
            f"- {len(found.to_label):,} items whose labels would help most are listed in metrics.json (to_label) and "
            "in the report."
        )


def _methods(report: AdaptReport, width: int) -> str:
    """One row per method: what selectors say, and what the target's labels say if there are any."""
    methods = report.found.methods
    letters = [report.letters[row.name] for row in methods]
    names = fitting([row.name for row in methods], _NAME, letters)
    marks = ["*" if row.name == report.found.method else " " for row in methods]
    first = ("method", *(f"{mark} {name}" for mark, name in zip(marks, names, strict=True)))
    said = [
        (SHORT.get(name, name), *(selector_words(row, name) for row in methods)) for name in report.selectors
    ]
    scored = _scored(report) if report.is_scored else []
    same = ("same", *(_same(row) for row in methods))
    while len(said) > 1 and _width([first, *said, *scored, same]) > width:
        said.pop()
    columns = [first, *said, *scored, same]
    if _width(columns) > width:
        columns.remove(same)
    lines = [_line(columns, place) for place in range(len(first))]
    return "\n".join([*lines, *_below(report, len(said), same in columns, width).split("\n")])


def _scored(report: AdaptReport) -> list[Column]:
    """Scores and gains by the target's labels."""
    key, methods = report.metric.key, report.found.methods
    shown = [
        number(row.truth.value, key) if row.truth and score_words(report, row) else "" for row in methods
    ]
    gains = [_gain(report, row) for row in methods]
    ends = ["" if row.gain is None else difference(row.gain, key) for row in methods]
    found: list[Column] = [(lowered(report.metric.label), *shown), ("gain", *gains)]
    if any(ends):
        found.append(("95% interval", *ends))
    return found


def _gain(report: AdaptReport, row: MethodRow) -> str:
    if row.gain is None or row.gain.value is None:
        return ""
    return points(row.gain.value, report.metric.key).split(" ")[0]


def _same(row: MethodRow) -> str:
    return "" if row.agreement is None else f"{100 * row.agreement:.0f}%"


def _width(columns: Sequence[Column]) -> int:
    return sum(2 + max(map(len, column)) for column in columns)


def _line(columns: Sequence[Column], place: int) -> str:
    """One line of the table: the first column at the left, numbers at the right."""
    sizes = [max(map(len, column)) for column in columns]
    cells = [
        f"  {column[place]:<{size}}" if k == 0 else f"  {column[place]:>{size}}"
        for k, (column, size) in enumerate(zip(columns, sizes, strict=True))
    ]
    return "".join(cells).rstrip()


def _below(report: AdaptReport, n_said: int, has_same: bool, width: int) -> str:
    """What the columns are."""
    found = [f"* returned, chosen by {report.found.chosen_by}"]
    said = [
        f"{SHORT[name]}: {SELECTORS[name]}"
        for name in report.selectors[:n_said]
        if SHORT.get(name) != SELECTORS.get(name)
    ]
    if n_said:
        found.append(f"{', '.join(said)}{', ' if said else ''}larger is better")
    if n_said < len(report.selectors):
        left_out = [SELECTORS.get(name, name) for name in report.selectors[n_said:]]
        found.append(f"{listed(left_out)}: in methods.csv")
    if report.is_scored:
        unit = "points of " if is_percent(report.metric.key) else ""
        better = ", lower is better" if report.metric.better == "lower" else ""
        metric = lowered(report.metric.label)
        found.append(
            f"gain: {unit}{metric} over source only{better}, by labels of the target that no choice saw"
        )
    if has_same:
        found.append("same: answers that are those of source only")
    unused = [f"{row.name} was not used: {row.note.rstrip('.')}" for row in report.found.methods if row.note]
    return "\n".join(
        [wrapped("; ".join(found), width, "  "), *(wrapped(text, width, "  ", "    ") for text in unused)]
    )
