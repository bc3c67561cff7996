"""The plain text that ends a command: the score and its baselines, the verdict, what to do next."""

from __future__ import annotations

from headstart.metrics import METRICS, VERIFICATION, metric_named
from headstart.progress import printable
from headstart.report.items.decision import threshold_block
from headstart.report.pages.fit.notices import notices
from headstart.report.pages.fit.report import FitReport
from headstart.report.pages.fit.result import beside_baselines
from headstart.report.pages.fit.words import held_out, is_classical, sentence, verdict
from headstart.report.terminal import WIDTH, places, wrapped
from headstart.report.words import interval, number
from headstart.run_files import EXPORTED, PROGRAM
from headstart.runs import Record
from headstart.units import counted


def end_block(report: FitReport, width: int = WIDTH, has_report: bool = True) -> str:
    """Write the end of a run for the terminal.

    Args:
        report: of the run.
        width: columns; longer sentences are wrapped.
        has_report: whether report.html was written.

    Returns:
        Lines of plain text without colours or control characters, so that it pipes well.
    """
    done = f"{sentence(report)}{_not_returned(report)}"
    blocks = [wrapped(done, width), _scores(report, width), *threshold_block(report, width)]
    found = verdict(report)
    if found:
        blocks.append(wrapped(f"{found.title}: {found.text}", width, "  "))
    warnings = [n for n in notices(report) if n.severity != "note"]
    if warnings:
        blocks.append("\n".join(wrapped(f"! {n.title}. {n.text}", width, "  ", "    ") for n in warnings))
    program = (PROGRAM,) if report.record.extra.get(EXPORTED, True) else ()
    files = (*program, *(("report.html",) if has_report else ()), "metrics.json", "README.md")
    blocks.append(places(report.facts.run, files, report.next_command))
    return printable("\n\n".join(blocks) + "\n")


def result_line(record: Record, quality: str, *, with_program: bool = True) -> str:
    """Say the result in one line, as soon as it is known; the files of the run are written after it.

    Args:
        record: of the run.
        quality: key of the metric.
        with_program: whether model.pt2 follows.
    """
    follow = "model.pt2 and the report are" if with_program else "The rest of the run is"
    score = (record.test or {}).get(quality)
    if score is None or score.value is None:
        return f"Learned. {follow} being written."
    found = f"{metric_named(quality).label} {number(score.value, quality)}"
    between = f" ({interval(score, quality)})" if score.low is not None else ""
    items = counted(record.n_test or 0, "held-out items")
    return f"{found}{between} on {items}. {follow} being written."


def _not_returned(report: FitReport) -> str:
    """That a training was made for nothing, with a space before it; "" if none was, or it is the result."""
    tried = any(row.get("trains") and row["stage"] != "head" for row in report.record.extra.get("stages", ()))
    if not tried or report.trained_stages or is_classical(report):
        return ""
    return " The training was not shown to be better than this head alone, and is not returned (why: the report)."


def _scores(report: FitReport, width: int) -> str:
    drawn = beside_baselines(report)
    label = metric_named(drawn.key).label
    ours = report.score(drawn.key)
    missing = "" if ours is None else report.why_no_interval(ours)
    rows = [(bar.name, bar.value, bar.interval or (missing if bar.ours else "")) for bar in drawn.bars]
    scores = [(m.label, m.key, report.score(m.key)) for m in METRICS.values() if m.in_summary]
    scores += [
        (f"Verification, {metric_named(key).label}", key, report.verification(key)) for key in VERIFICATION
    ]
    for words, key, score in scores:
        if score is not None:
            rows.append(
                (words, number(score.value, key), interval(score, key) or report.why_no_interval(score))
            )
    if not rows:
        return ""
    first = max(len(row[0]) for row in rows)
    lines = [f"  {name:<{first}}  {value:>6}  {between}".rstrip() for name, value, between in rows]
    title = wrapped(f"{label} with 95% interval, on {held_out(report)}", width, "  ")
    return "\n".join([title, *lines])
