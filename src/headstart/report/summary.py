"""The plain text that ends a command: the score beside its baselines, the verdict, what to do next."""

from __future__ import annotations

import shlex
import textwrap

from headstart.metrics import METRICS, VERIFICATION, metric_named
from headstart.report.charts import comparison
from headstart.report.context import ReportContext, Score
from headstart.report.notices import notices
from headstart.report.words import held_out, interval, number, sentence, verdict

WIDTH = 92


def end_block(context: ReportContext, width: int = WIDTH, has_report: bool = True) -> str:
    """Write the end of a run for the terminal.

    Args:
        context: of the run.
        width: columns; longer sentences are wrapped.
        has_report: whether report.html was written.

    Returns:
        Lines of plain text without colours or control characters, so that it pipes well.
    """
    blocks = [_wrapped(sentence(context), width), _scores(context, width)]
    told = verdict(context)
    if told:
        blocks.append(_wrapped(f"{told.title}: {told.text}", width, "  "))
    warnings = [n for n in notices(context) if n.severity != "note"]
    if warnings:
        blocks.append("\n".join(_wrapped(f"! {n.title}. {n.text}", width, "  ", "    ") for n in warnings))
    blocks.append(_places(context, has_report))
    return printable("\n\n".join(blocks) + "\n")


def printable(text: str) -> str:
    """The text without control characters, which a class name could use to repaint a terminal."""
    return "".join(c for c in text if c == "\n" or (c.isprintable() or c == "\u00a0"))


def _wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> str:
    later = first if rest is None else rest
    return textwrap.fill(text, width, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)


def _scores(context: ReportContext, width: int) -> str:
    drawn = comparison(context)
    label = metric_named(drawn["key"]).label
    rows = [(row["name"], row["value"], row["interval"]) for row in drawn["rows"]]
    for metric in METRICS.values():
        score = context.score(metric.key) if metric.in_summary else None
        if score is not None:
            rows.append((metric.label, number(score.value, metric.key), interval(score, metric.key)))
    for key in VERIFICATION:
        score = Score.of((context.metrics.get("verification") or {}).get(key))
        if score is not None:
            words = f"Verification, {metric_named(key).label}"
            rows.append((words, number(score.value, key), interval(score, key)))
    if not rows:
        return ""
    first = max(len(row[0]) for row in rows)
    lines = [f"  {name:<{first}}  {value:>6}  {between}".rstrip() for name, value, between in rows]
    title = _wrapped(f"{label} with 95% interval, on {held_out(context)}", width, "  ")
    return "\n".join([title, *lines])


def _places(context: ReportContext, has_report: bool) -> str:
    files = "model.pt2, report.html, metrics.json, README.md"
    lines = [f"  Result  {context.run}  ({files if has_report else files.replace('report.html, ', '')})"]
    if has_report:
        lines.append(f"  Report  headstart report {shlex.quote(context.run)}")
    if context.next_command:
        lines.append(f"  Next    {context.next_command}")
    return "\n".join(lines)
