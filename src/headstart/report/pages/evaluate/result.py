"""The first section: the score here beside the run's own one, and what to know before trusting it."""

from __future__ import annotations

from headstart.files import name_of
from headstart.metrics import metric_named
from headstart.report.background import checks_notice
from headstart.report.charts import Comparison, comparison
from headstart.report.items.calibration import calibration_notice
from headstart.report.items.cards import leading_card, other_cards
from headstart.report.items.decision import threshold_notice
from headstart.report.items.few import few_groups_notice, few_items_notice
from headstart.report.items.run_result import TEMPLATE, RunResult
from headstart.report.pages.evaluate.report import EvaluateReport
from headstart.report.shell import Notice, Section, VerdictWords, in_order
from headstart.report.words import difference, lowered, points

OWN = "Its own held-out items"
_VERDICTS = {
    "better": ("positive", "Better than on its own held-out items"),
    "worse": ("negative", "Worse than on its own held-out items"),
    "undecided": ("undecided", "No clear difference from its own held-out items"),
}


def result_section(report: EvaluateReport) -> Section:
    """The first section of the page."""
    content = RunResult(
        "evaluated",
        report.found.run,
        "on",
        name_of(report.data.name),
        report.counted(report.record.n_test or 0),
        leading_card(report),
        f"{metric_named(report.headline).label} here and on its own held-out items",
        beside_own(report),
        _verdict(report),
        other_cards(report),
        report.next_command,
        notices(report),
    )
    return Section("result", "Evaluation", TEMPLATE, content)


def beside_own(report: EvaluateReport) -> Comparison:
    """The leading score here, and the run's own one."""
    key = report.headline
    here, own = report.score(key), report.own(key)
    rows = [] if here is None else [("Here", report.counted(report.record.n_test or 0), here, True)]
    if own is not None:
        rows.append((OWN, report.counted(report.found.n_own), own, False))
    return comparison(rows, key)


def _verdict(report: EvaluateReport) -> VerdictWords | None:
    """The verdict in words; None if the run has no score of its own."""
    found, key = report.found, report.found.metric
    change = report.change(key)
    if found.outcome == "" or change is None:
        return None
    outcome, title = _VERDICTS[found.outcome]
    text = f"{points(float(change), key)} of {lowered(metric_named(key).label)}"
    ends, missing = difference(change, key), report.why_no_interval(change)
    between = f"95% interval of the change: {ends}" if ends else missing
    tail = "" if found.outcome != "undecided" else " These items cannot tell."
    return VerdictWords(outcome, title, f"{text} ({between}).{tail}")


def notices(report: EvaluateReport) -> tuple[Notice, ...]:
    """What to know before trusting the score, the most serious first."""
    return in_order(
        [
            *(Notice("warning", "", text) for text in report.found.warnings),
            *threshold_notice(report),
            *few_groups_notice(report),
            *few_items_notice(report, "Few items"),
            *calibration_notice(report),
            *checks_notice(report),
            *(Notice("note", "", text) for text in report.found.notes),
        ]
    )
