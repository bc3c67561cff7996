"""The plain text that ends `headstart rank`: the table, what failed, the advice, what to do next."""

from __future__ import annotations

import shlex
import textwrap

from headstart.progress import printable
from headstart.report.pages.rank.report import RankReport
from headstart.report.pages.rank.words import cells, sentence, titles, warnings

WIDTH = 92


def end_block(report: RankReport, width: int = WIDTH, has_report: bool = True) -> str:
    """Write the end of a ranking for the terminal.

    Args:
        report: of the ranking.
        width: columns; longer sentences are wrapped.
        has_report: whether report.html was written.

    Returns:
        Lines of plain text without colours or control characters, so that it pipes well.
    """
    blocks = [_wrapped(sentence(report), width), _table(report), _wrapped(report.ranking.advice, width, "  ")]
    notices = [_wrapped(f"! {text}", width, "  ", "    ") for text in warnings(report)]
    if notices:
        blocks.append("\n".join(notices))
    run = report.facts.run
    lines = [f"  Result  {run}  ({'report.html, ' if has_report else ''}ranking.csv, metrics.json)"]
    if has_report:
        lines.append(f"  Report  headstart report {shlex.quote(run)}")
    lines.append(f"  Next    {report.next_command}")
    return printable("\n\n".join([*blocks, "\n".join(lines)]) + "\n")


def _table(report: RankReport) -> str:
    rows = [titles(report), *(cells(report, each) for each in report.ranking.ranked)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        ("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths))).rstrip() for row in rows
    )


def _wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> str:
    later = first if rest is None else rest
    return textwrap.fill(text, width, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)
