"""The plain text that ends `headstart rank`: the table, the advice, what failed, what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.progress import printable
from headstart.report.pages.rank.notices import notices
from headstart.report.pages.rank.report import RankReport
from headstart.report.pages.rank.words import (
    depth,
    megabytes,
    milliseconds,
    places,
    sentence,
    shown,
    upstream,
    value,
    why_this_order,
)
from headstart.report.shell import Notice
from headstart.report.terminal import WIDTH, cut, fitting, wrapped
from headstart.report.terminal import places as places_of_files
from headstart.report.words import interval, lowered
from headstart.runs.ranking import Ranked

MOST_UPSTREAM = 6
MOST_NAMES = 4
DEPTH_WIDTH = 14
LEAST_NAME = 12
NAME, LEFT = 1, (0, 1, 4)  # the columns of names and of words; the others are numbers


def end_block(report: RankReport, width: int = WIDTH, has_report: bool = True) -> str:
    """Write the end of a ranking for the terminal.

    Args:
        report: of the ranking.
        width: columns; longer sentences are wrapped.
        has_report: whether report.html was written.

    Returns:
        Lines of plain text without colours or control characters, so that it pipes well.
    """
    blocks = [wrapped(sentence(report), width), _table(report, width)]
    blocks += [block for block in (_pretrained(report, width),) if block]
    blocks.append(wrapped(report.names.within(report.ranking.advice), width, "  "))
    warnings = [wrapped(_said(notice), width, "  ", "    ") for notice in notices(report)]
    if warnings:
        blocks.append("\n".join(warnings))
    files = (*(("report.html",) if has_report else ()), "ranking.csv", "metrics.json")
    blocks.append(places_of_files(report.facts.run, files, report.next_command))
    return printable("\n\n".join(blocks) + "\n")


def _said(notice: Notice) -> str:
    title = f"{notice.title}. " if notice.title else ""
    return f"{'-' if notice.severity == 'note' else '!'} {title}{notice.text}"


def _table(report: RankReport, width: int) -> str:
    """The rows of the ranking; names are cut where they do not fit."""
    ranked = report.ranking.ranked
    titles = ["place", "source", lowered(report.label), "95% interval", "head reads", "ms/item", "MB"]
    rows = [titles, *(_cells(report, each) for each in ranked)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(titles))]
    others = sum(widths) - widths[NAME] + 2 * len(widths)
    widths[NAME] = min(widths[NAME], max(LEAST_NAME, width - others))
    names = fitting(
        [row[NAME] for row in rows[1:]], widths[NAME], [report.letters[each.name] for each in ranked]
    )
    for row, name in zip(rows[1:], names, strict=True):
        row[NAME] = name
    lines = [_line(row, widths) for row in rows]
    if any(each.role != "source" for each in ranked):
        lines.append("  * baseline without pretrained weights")
    why = why_this_order(report)
    if why:
        lines.append(wrapped(why, width, "  "))
    return "\n".join(lines)


def _cells(report: RankReport, ranked: Ranked) -> list[str]:
    mark = "" if ranked.role == "source" else "* "
    return [
        places(ranked),
        mark + report.names[ranked.name],
        value(report, ranked),
        interval(ranked.predicted, report.metric),
        cut(depth(ranked), DEPTH_WIDTH),
        milliseconds(ranked),
        megabytes(ranked),
    ]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        f"{text:<{width}}" if column in LEFT else f"{text:>{width}}"
        for column, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return ("  " + "  ".join(cells)).rstrip()


def _pretrained(report: RankReport, width: int) -> str:
    """What the sources were pretrained on, one line for sources of the same; "" if nothing is known."""
    found: dict[str, list[str]] = {}
    for each in report.ranking.sources:
        if each.upstream:
            found.setdefault(upstream(each), []).append(report.names[each.name])
    if not found:
        return ""
    lines = [
        wrapped(f"{text}: {shown(names, MOST_NAMES)}", width, "    ", "      ")
        for text, names in found.items()
    ]
    if len(lines) > MOST_UPSTREAM:
        lines = [
            *lines[: MOST_UPSTREAM - 1],
            f"    and {len(lines) - MOST_UPSTREAM + 1} more, in ranking.csv",
        ]
    return "\n".join(["  Pretrained on", *lines])
