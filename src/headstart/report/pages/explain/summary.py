"""The plain text that ends `headstart explain`: the sentence, one row per item, what to know, where the result is."""

from __future__ import annotations

import numpy as np

from headstart.progress import printable
from headstart.report.pages.explain.report import ExplainedItem, ExplainReport, TextView
from headstart.report.pages.explain.result import notices
from headstart.report.terminal import WIDTH, cut, places, wrapped

_N_PLACES = 3
_NAME = 32  # columns of the name of an item


def end_block(report: ExplainReport, width: int = WIDTH, has_report: bool = True) -> str:
    """Write the end of an explanation for the terminal.

    Args:
        report: of the explanation.
        width: columns; longer sentences are wrapped.
        has_report: whether report.html was written.

    Returns:
        Lines of plain text without colours or control characters.
    """
    blocks = [wrapped(report.found.sentence, width), _rows(report, width)]
    told = [f"{'-' if n.severity == 'note' else '!'} {n.text}" for n in notices(report)]
    if told:
        blocks.append("\n".join(wrapped(line, width, "  ", "    ") for line in told))
    files = (*(("report.html",) if has_report else ()), "explanations.csv", "metrics.json")
    blocks.append(places(report.facts.run, files, ""))
    return printable("\n\n".join(blocks) + "\n")


def _rows(report: ExplainReport, width: int) -> str:
    """One row per item: its name, what is explained, its output, the parts that raise it most."""
    table = [
        (cut(item.name, _NAME), item.output, report.written(item.value), _named(item))
        for item in report.items
    ]
    table.insert(0, ("item", "explained", "probability" if report.has_classes else "value", "raised most by"))
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    lines = []
    for row in table:
        first = "  ".join(f"{text:<{size}}" for text, size in zip(row[:3], widths, strict=True))
        lines.append("  " + cut(f"{first}  {row[3]}", width - 2, 1.0).rstrip())
    return "\n".join(lines)


def _named(item: ExplainedItem) -> str:
    """The parts that raise the output most, in words."""
    order = np.argsort(-item.attributions, kind="stable")[:_N_PLACES]
    named = [item.places[place] for place in order if item.attributions[place] > 0]
    return (", " if isinstance(item.view, TextView) else "; ").join(named) or "none"
