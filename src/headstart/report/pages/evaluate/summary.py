"""The plain text that ends `headstart evaluate`: the sentence, both scores, what to know, what to do next."""

from __future__ import annotations

from headstart.metrics import METRICS, metric_named
from headstart.progress import printable
from headstart.report.items.decision import threshold_block
from headstart.report.pages.evaluate.report import EvaluateReport
from headstart.report.pages.evaluate.result import notices
from headstart.report.terminal import WIDTH, places, wrapped
from headstart.report.words import difference, interval, number


def end_block(report: EvaluateReport, width: int = WIDTH, has_report: bool = True) -> str:
    """Write the end of an evaluation for the terminal.

    Args:
        report: of the evaluation.
        width: columns; longer sentences are wrapped.
        has_report: whether report.html was written.

    Returns:
        Lines of plain text without colours or control characters.
    """
    blocks = [
        wrapped(report.found.sentence, width),
        _scores(report, width),
        *threshold_block(report, width),
    ]
    told = [n for n in notices(report) if n.severity != "note"]
    lines = [f"! {f'{n.title}. ' if n.title else ''}{n.text}" for n in told]
    lines += [f"- {text}" for text in report.found.notes]
    if lines:
        blocks.append("\n".join(wrapped(line, width, "  ", "    ") for line in lines))
    files = (*(("report.html",) if has_report else ()), "scores.csv", "predictions.parquet")
    blocks.append(places(report.facts.run, files, report.next_command))
    return printable("\n\n".join(block for block in blocks if block) + "\n")


def _scores(report: EvaluateReport, width: int) -> str:
    """One row per metric: here, with the interval, and on the run's own items, with the change."""
    keys = [report.headline, *(m.key for m in METRICS.values() if m.in_summary), report.found.metric]
    rows = []
    for key in dict.fromkeys(keys):
        here, own, change = report.score(key), report.own(key), report.change(key)
        if here is None:
            continue
        between = interval(here, key) or report.why_no_interval(here)
        rows.append(
            (
                metric_named(key).label,
                number(here.value, key),
                between,
                "" if own is None else number(own.value, key),
                "" if change is None else difference(change, key),
            )
        )
    if not rows:
        return ""
    heads = ("", "here", "95% interval", "its own", "95% interval of the change")
    n_columns = 5 if report.found.change else 4 if any(row[3] for row in rows) else 3
    table = [row[:n_columns] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = [
        "  " + "  ".join(f"{text:<{size}}" for text, size in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
    what = f"On {report.counted(report.record.n_test or 0)}"
    compared = f"; its own score is of {report.counted(report.found.n_own)}" if report.found.own else ""
    return "\n".join([wrapped(f"{what}{compared}", width, "  "), *lines])
