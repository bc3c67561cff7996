"""The plain text that ends `headstart audit`: the sentence, the curves, what is saved."""

from __future__ import annotations

from headstart.progress import printable
from headstart.report.pages.audit.report import AuditReport
from headstart.report.terminal import WIDTH, places, wrapped
from headstart.runs.audit import Curve, Saved, SizeVerdict


def end_block(report: AuditReport, width: int = WIDTH, has_report: bool = True) -> str:
    """Write the end of an audit for the terminal.

    Args:
        report: of the audit.
        width: columns; longer sentences are wrapped.
        has_report: whether report.html was written.
    """
    audit = report.audit
    blocks = [wrapped(audit.sentence, width), _table(report)]
    blocks += [
        "\n".join(wrapped(line, width, "  ", "    ") for line in lines)
        for lines in (_saved(report), _decided(report))
        if lines
    ]
    warnings = [wrapped(f"! {text}", width, "  ", "    ") for text in audit.warnings]
    warnings += [wrapped(f"- {text}", width, "  ", "    ") for text in audit.notes]
    if warnings:
        blocks.append("\n".join(warnings))
    files = (*(("report.html",) if has_report else ()), "curves.csv", "metrics.json")
    blocks.append(places(report.facts.run, files, ""))
    return printable("\n\n".join(blocks) + "\n")


def _table(report: AuditReport) -> str:
    """One row per number of labels, one column per method, and the verdict."""
    audit = report.audit
    titles = ["labels", *(report.names[each.name] for each in audit.curves), "gain", "verdict"]
    rows = [titles]
    for verdict in audit.verdicts:
        cells = [_score(report, each, verdict.n_labels) for each in audit.curves]
        rows.append([f"{verdict.n_labels:,}", *cells, gain_words(report, verdict), verdict.outcome])
    widths = [max(len(row[column]) for row in rows) for column in range(len(titles))]
    lines = [
        "  " + "  ".join(f"{text:>{width}}" for text, width in zip(row, widths, strict=True)) for row in rows
    ]
    return "\n".join(lines)


def _score(report: AuditReport, curve: Curve, n_labels: int) -> str:
    point = next((each for each in curve.points if each.n_labels == n_labels), None)
    if point is None or point.score.value is None:
        return "-"
    value = point.score.value
    return f"{100 * value:.1f}%" if report.metric.form == "percent" else f"{value:.3g}"


def gain_words(report: AuditReport, verdict: SizeVerdict) -> str:
    """The gain with its interval, short."""
    gain = verdict.gain
    if gain.value is None:
        return "-"
    factor, form = (100, "+.1f") if report.metric.form == "percent" else (1, "+.3g")
    if gain.low is None or gain.high is None:
        return f"{factor * gain.value:{form}}"
    return f"{factor * gain.value:{form}} ({factor * gain.low:{form}} to {factor * gain.high:{form}})"


def _saved(report: AuditReport) -> list[str]:
    return [saved_words(report, each) for each in report.audit.saved.values()]


def saved_words(report: AuditReport, saved: Saved) -> str:
    """What is saved against one method, in a sentence."""
    against, factor, time = report.names[saved.against], saved.factor, saved.time_factor
    if saved.bound == "not reached":
        return f"Labels saved against {against}: none; transfer does not reach its score with {saved.n_labels} labels."
    least = "at least " if saved.bound == "at least" else ""
    return (
        f"Labels saved against {against}: {least}{_times(factor)}: {round(saved.n_transfer.value or 0)} in place of "
        f"{saved.n_labels} labels for {interval_value(report, saved.level)}. Time saved: {_times(time)}, "
        f"{saved.seconds_transfer.value:.2g} s in place of {saved.seconds:.2g} s."
    )


def interval_value(report: AuditReport, value: float) -> str:
    """A score, short."""
    return f"{100 * value:.1f}%" if report.metric.form == "percent" else f"{value:.3g}"


def _times(found: object) -> str:
    value, low, high = (getattr(found, name) for name in ("value", "low", "high"))
    shown = f"{value:.3g} times"
    return shown if low is None else f"{shown} ({low:.3g} to {high:.3g})"


def _decided(report: AuditReport) -> list[str]:
    """What would decide what is undecided with all labels."""
    needs = report.audit.final.needs
    return [f"What would decide it: {needs}."] if needs else []
