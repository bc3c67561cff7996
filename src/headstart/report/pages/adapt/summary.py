"""The plain text that ends `headstart adapt`: the sentence, the methods, warnings, what to do next."""

from __future__ import annotations

from headstart.progress import printable
from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.pages.adapt.words import SELECTORS, gain_words, score_words, selector_words
from headstart.report.terminal import WIDTH, places, wrapped
from headstart.report.words import lowered


def end_block(report: AdaptReport, width: int = WIDTH, has_report: bool = True) -> str:
    """Write the end of an adaptation for the terminal.

    Args:
        report: of the adaptation.
        width: columns; longer sentences are wrapped.
        has_report: whether report.html was written.

    Returns:
        Lines of plain text without colours or control characters.
    """
    found = report.found
    blocks = [wrapped(found.sentence, width), wrapped(found.reason, width, "  "), _methods(report, width)]
    lines = [*(f"! {text}" for text in found.warnings), *(f"- {text}" for text in found.notes)]
    if lines:
        blocks.append("\n".join(wrapped(line, width, "  ", "    ") for line in lines))
    files = (*(("report.html",) if has_report else ()), "predictions.parquet", "methods.csv", "metrics.json")
    blocks.append(places(report.facts.run, files, report.next_command))
    return printable("\n\n".join(blocks) + "\n")


def _methods(report: AdaptReport, width: int) -> str:
    """One row per method: what selectors say, and what the target's labels say if there are any."""
    found = report.found
    asked = list(dict.fromkeys(name for row in found.methods for name in row.scores))
    columns = [
        ["method", *(f"{'*' if row.name == found.method else ' '} {row.name}" for row in found.methods)]
    ]
    columns += [
        [SELECTORS.get(name, name), *(selector_words(row, name) for row in found.methods)] for name in asked
    ]
    if report.is_scored:
        columns.append([lowered(report.metric.label), *(score_words(report, row) for row in found.methods)])
        columns.append(["gain", *(gain_words(report, row) for row in found.methods)])
    sizes = [max(map(len, column)) for column in columns]
    lines = [
        "  ".join(
            f"{cell:<{size}}" if place == 0 else f"{cell:>{size}}"
            for place, (cell, size) in enumerate(zip(cells, sizes, strict=True))
        ).rstrip()
        for cells in zip(*columns, strict=True)
    ]
    below = "* returned" + ("; labels of the target took part in no choice" if report.is_scored else "")
    return "\n".join([*(f"  {line}" for line in lines), wrapped(below, width, "  ")])
