"""The plain text that ends `headstart calibrate`: the sentence, scores before and after, what to know, what is next."""

from __future__ import annotations

from headstart.metrics import METRICS, metric_named
from headstart.progress import printable
from headstart.report.pages.calibrate.report import LOSS, CalibrateReport
from headstart.report.pages.calibrate.result import notices
from headstart.report.pages.calibrate.words import answers_words
from headstart.report.terminal import WIDTH, places, wrapped
from headstart.report.words import difference, interval, number
from headstart.runs.calibration import CalibrationFacts

_SHOWN = (LOSS, "calibration_error", "accuracy")


def end_block(report: CalibrateReport, width: int = WIDTH, has_report: bool = True) -> str:
    """Write the end of a calibration that made a new run, for the terminal.

    Args:
        report: of the calibration.
        width: columns; longer sentences are wrapped.
        has_report: whether report.html was written.

    Returns:
        Lines of plain text without colours or control characters.
    """
    told = [each for each in notices(report) if each.severity != "note"]
    lines = [f"! {f'{each.title}. ' if each.title else ''}{each.text}" for each in told]
    lines += [f"- {text}" for text in report.found.notes]
    files = (*(("report.html",) if has_report else ()), "model.pt2", "calibration.csv", "predictions.parquet")
    blocks = [
        wrapped(report.found.sentence, width),
        f"{_scores(report.found)}\n{wrapped(answers_words(report.found), width, '  ')}",
        "\n".join(wrapped(line, width, "  ", "    ") for line in lines),
        places(report.facts.run, files, report.next_command),
    ]
    return printable("\n\n".join(block for block in blocks if block) + "\n")


def summary_of(found: CalibrationFacts, width: int = WIDTH) -> str:
    """Write the end of a calibration that made no correction.

    Args:
        found: by it.
        width: columns; longer sentences are wrapped.
    """
    lines = [*(f"! {text}" for text in found.warnings), *(f"- {text}" for text in found.notes)]
    blocks = [
        wrapped(found.sentence, width),
        _scores(found),
        "\n".join(wrapped(line, width, "  ", "    ") for line in lines),
    ]
    return printable("\n\n".join(block for block in blocks if block) + "\n")


def _scores(found: CalibrationFacts) -> str:
    """One row per metric: before, and after with the change if there is a correction."""
    heads: tuple[str, ...] = ("", "before", "95% interval")
    if found.after:
        heads = (*heads, "after", "95% interval", "change, 95% interval")
    rows = [heads]
    for key in (key for key in _SHOWN if key in METRICS and key in found.before):
        before, after, change = found.before[key], found.after.get(key), found.change.get(key)
        if before.value is None:
            continue
        row: tuple[str, ...] = (metric_named(key).label, number(before.value, key), interval(before, key))
        if after is not None:
            row = (*row, number(after.value, key), interval(after, key))
            row = (*row, "" if change is None else difference(change, key))
        rows.append(row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ("  ".join(f"{text:<{size}}" for text, size in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(f"  {line}".rstrip() for line in lines)
