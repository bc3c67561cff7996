"""The plain text that ends `headstart audit`: the sentence, the curves, what is saved, what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.progress import printable
from headstart.report.pages.audit.report import AuditReport, point_at
from headstart.report.pages.audit.words import gain_words, needs_words, saved_words, verdict_words
from headstart.report.terminal import WIDTH, cut, places, wrapped
from headstart.report.words import is_percent, lowered, number
from headstart.runs.audit import Curve, SizeVerdict
from headstart.units import counted

_TITLE = 20  # columns that the name of a method may take above its scores
_ROLES = {"transfer": " (transfer)", "source": " (other source)"}
Column = Sequence[str]  # a title, then a text per row


def end_block(report: AuditReport, width: int = WIDTH, has_report: bool = True) -> str:
    """Write the end of an audit for the terminal.

    Args:
        report: of the audit.
        width: columns; longer sentences are wrapped, wider tables parted.
        has_report: whether report.html was written.

    Returns:
        Lines of plain text without colours or control characters.
    """
    audit = report.audit
    blocks = [wrapped(report.sources.within(audit.sentence), width), _scores(report, width)]
    lines = [saved_words(report, each) for each in audit.saved.values()]
    if needs := needs_words(audit.final):
        lines.append(f"What would decide it with {audit.final.n_labels:,} labels: {needs}.")
    lines += [f"! {report.sources.within(text)}" for text in audit.warnings]
    lines += [f"- {report.sources.within(text)}" for text in audit.notes]
    if lines:
        blocks.append("\n".join(wrapped(line, width, "  ", "    ") for line in lines))
    files = (*(("report.html",) if has_report else ()), "curves.csv", "metrics.json")
    blocks.append(places(report.facts.run, files, report.next_command))
    return printable("\n\n".join(blocks) + "\n")


def _scores(report: AuditReport, width: int) -> str:
    """One row per number of labels: the score of each method, the gain and the verdict; letters if names are long."""
    audit = report.audit
    gains = [
        ("gain", *(gain_words(report, each.gain) for each in audit.verdicts)),
        ("verdict", *(verdict_words(each) for each in audit.verdicts)),
    ]
    first = ("labels", *(f"{each.n_labels:,}" for each in audit.verdicts))
    titles = [_title(report, each) for each in audit.curves]
    named = [_column(report, each, title) for each, title in zip(audit.curves, titles, strict=True)]
    if max(map(len, titles)) <= _TITLE and _width([first, *named, *gains]) <= width:
        return "\n".join([*_table([first, *named, *gains]), *_below(report, width)])
    lettered = [[_column(report, each, report.letters[each.name])] for each in audit.curves]
    parts = _parted(first, [*lettered, gains], width)
    legend = [
        f"  {report.letters[each.name]}  {cut(_name(report, each), width - 22)}{_ROLES.get(each.role, '')}"
        for each in audit.curves
    ]
    return "\n\n".join(
        [*("\n".join(_table(part)) for part in parts), "\n".join([*legend, *_below(report, width)])]
    )


def _title(report: AuditReport, curve: Curve) -> str:
    """The word above a column: as --against writes it, or the name of a source."""
    return _name(report, curve) if curve.role == "source" else curve.role


def _name(report: AuditReport, curve: Curve) -> str:
    return report.sources[curve.name] if curve.role == "transfer" else report.names[curve.name]


def _column(report: AuditReport, curve: Curve, title: str) -> Column:
    """The scores of a method; a star marks it where the gain is measured against it."""
    return (title, *(_score(report, curve, each) for each in report.audit.verdicts))


def _score(report: AuditReport, curve: Curve, verdict: SizeVerdict) -> str:
    point = point_at(curve, verdict.n_labels)
    if point is None:
        return "- "
    return number(point.score.value, report.audit.metric) + ("*" if curve.name == verdict.against else " ")


def _parted(first: Column, groups: Sequence[Sequence[Column]], width: int) -> list[list[Column]]:
    """Tables that fit the width, each with the column of labels; the columns of a group stay together."""
    parts: list[list[Column]] = [[first]]
    for group in groups:
        if len(parts[-1]) > 1 and _width([*parts[-1], *group]) > width:
            parts.append([first])
        parts[-1].extend(group)
    return parts


def _width(columns: Sequence[Column]) -> int:
    return sum(2 + max(map(len, column)) for column in columns)


def _table(columns: Sequence[Column]) -> list[str]:
    """The lines of a table, numbers at the right of their columns."""
    widths = [max(map(len, column)) for column in columns]
    return [
        "".join(f"  {text:>{size}}" for text, size in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]


def _below(report: AuditReport, width: int) -> list[str]:
    """What the numbers are."""
    audit, metric = report.audit, report.metric
    unit = "points of " if is_percent(metric.key) else ""
    better = "; lower is better" if metric.better == "lower" else ""
    transfer = audit.transfer
    between = ", with its 95% interval" if any(each.gain.low is not None for each in audit.verdicts) else ""
    what = f"transfer: {report.sources[transfer.name]}, {transfer.given}"
    text = (
        f"{what}. Scores: mean of {counted(audit.n_seeds, 'seeds')}. Gain: {unit}{lowered(metric.label)}, transfer "
        f"minus the baseline marked * (the best on training items){between}{better}"
    )
    return wrapped(text, width, "  ", "    ").split("\n")
