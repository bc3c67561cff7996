"""The first section: the log loss with and without the correction, and what to know before trusting it."""

from __future__ import annotations

from headstart.files import name_of
from headstart.metrics import metric_named
from headstart.report.background import checks_notice
from headstart.report.charts import Comparison, comparison
from headstart.report.items.calibration import calibration_notice
from headstart.report.items.cards import leading_card, other_cards
from headstart.report.items.few import few_groups_notice, few_items_notice
from headstart.report.items.run_result import TEMPLATE, RunResult
from headstart.report.pages.calibrate.report import LOSS, CalibrateReport
from headstart.report.pages.calibrate.words import answers_words
from headstart.report.shell import Notice, Section, VerdictWords, in_order
from headstart.report.words import difference, points

AS_IT_WAS = "As it was"


def result_section(report: CalibrateReport) -> Section:
    """The first section of the page."""
    content = RunResult(
        "calibrated",
        report.found.run,
        "by",
        name_of(report.data.name),
        f"{report.counted(report.found.n_items)}, cross-validated",
        leading_card(report),
        f"{metric_named(LOSS).label} with the correction and without (lower is better)",
        _both(report),
        _verdict(report),
        other_cards(report),
        report.next_command,
        notices(report),
    )
    return Section("result", "Calibration", TEMPLATE, content, contents="Result")


def notices(report: CalibrateReport) -> tuple[Notice, ...]:
    """What to know before trusting the result, the most serious first."""
    return in_order(
        [
            *(Notice("warning", "", text) for text in report.found.warnings),
            *few_groups_notice(report),
            *few_items_notice(report, "Few items"),
            *calibration_notice(report),
            *checks_notice(report),
            *(Notice("note", "", text) for text in report.found.notes),
        ]
    )


def _both(report: CalibrateReport) -> Comparison:
    after, before = report.score(LOSS), report.before(LOSS)
    n_items = report.counted(report.found.n_items)
    rows = [] if after is None else [("Corrected", n_items, after, True)]
    if before is not None:
        rows.append((AS_IT_WAS, n_items, before, False))
    return comparison(rows, LOSS)


def _verdict(report: CalibrateReport) -> VerdictWords:
    change = report.found.change[LOSS]
    text = (
        f"Log loss {points(float(change), LOSS)} (95% interval of the change: {difference(change, LOSS)}). "
        f"{answers_words(report.found)}"
    )
    return VerdictWords("positive", "Better than without a correction, beyond chance", text)
