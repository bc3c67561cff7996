"""The first section: the verdict, four numbers with their intervals, and warnings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headstart.data import Finding
from headstart.metrics import Interval
from headstart.report.pages.audit import AuditReport
from headstart.report.pages.audit.result import Result, result_section
from small_audits import audit_report, saved_at, with_everything


def result(report: AuditReport) -> Result:
    content: Any = result_section(report).content
    return content  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("outcome", "title"),
    [
        ("positive", ("Transfer ", "helps", " with all 244 labels")),
        ("negative", ("Transfer ", "hurts", " with all 244 labels")),
        ("undecided", ("It is ", "undecided", " whether transfer helps with all 244 labels")),
    ],
)
def test_the_verdict_is_the_title(outcome: str, title: tuple[str, str, str]) -> None:
    found = result(audit_report(outcome=outcome))
    assert (found.title, found.verb, found.rest) == title
    assert found.why.startswith("Accuracy is 25.0 points higher than with classical features")
    assert found.what == (
        "Transfer from network_0.of_some_training to data/photos, learned from up to 244 images with 5 seeds, measured "
        "on 153 images held out."
    )


def test_gains_at_both_ends_and_what_is_saved() -> None:
    cards = result(audit_report()).cards
    assert [(card.label, card.value, card.interval) for card in cards] == [
        ("Gain with 20 labels", "+25.0 points", "95% interval +21.0 to +29.0"),
        ("Gain with all 244 labels", "+25.0 points", "95% interval +21.0 to +29.0"),
        ("Labels for the same score", "at least 12 times fewer", "95% interval up to 28 labels"),
        ("Time for that score", "at most 3.0 times as long", "95% interval 2.1 to 4.2 times"),
    ]
    assert cards[0].hint == "accuracy against classical features: helps"


def test_one_number_of_labels_is_one_card() -> None:
    report = audit_report()
    found = result(
        replace(report, audit=replace(report.audit, verdicts=report.audit.verdicts[-1:], saved={}))
    )
    assert [card.label for card in found.cards] == ["Gain with all 244 labels"]


def test_what_is_saved_against_the_best_if_the_verdict_is_against_a_constant() -> None:
    report = audit_report(
        saved={"random": replace(saved_at("random", 20), level=0.6), "classical": saved_at("classical", 57)}
    )
    final = replace(report.audit.final, against="majority")
    found = replace(report, audit=replace(report.audit, verdicts=[*report.audit.verdicts[:-1], final]))
    assert result(found).cards[2].value == "4.3 times fewer"


def test_no_interval_says_why() -> None:
    report = audit_report()
    final = replace(report.audit.final, gain=Interval(0.1, why="2 independent units, 3 are needed"))
    found = result(replace(report, audit=replace(report.audit, verdicts=[final], saved={})))
    assert found.cards[0].missing == "no interval: 2 independent units, 3 are needed"


def test_warnings_come_before_notes() -> None:
    report = with_everything()
    leak = Finding("leak", "error", "3 images are in train and in test.", (), 3)
    notices = result(replace(report, facts=replace(report.facts, findings=(leak,)))).notices
    assert [notice.severity for notice in notices] == ["error", "warning", "note"]
    assert "Use `--seeds 5`." in notices[1].text and notices[2].text.startswith("network_1.of_some_other")
