"""The first section: the sentence with its colour, cards, notices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headstart.metrics import Interval
from headstart.report.pages.adapt import AdaptReport
from headstart.report.pages.adapt.result import Result, result_section
from small_adaptations import adapt_report, with_everything


def result(report: AdaptReport) -> Result:
    content = result_section(report).content
    assert isinstance(content, Result)
    return content


@pytest.mark.parametrize(
    ("options", "verb", "outcome"),
    [
        ({}, "helps", "positive"),
        ({"outcome": "negative"}, "hurts", "negative"),
        ({"outcome": "undecided"}, "makes no clear difference", "undecided"),
        ({"returned": "none"}, "changes nothing", "kept"),
        ({"returned": "none", "scored": False}, "changes nothing", "kept"),
        ({"scored": False}, "cannot be scored", "undecided"),
    ],
)
def test_the_heading(options: dict[str, object], verb: str, outcome: str) -> None:
    found = result(adapt_report(**options))  # type: ignore[arg-type]
    assert (found.before, found.verb, found.outcome) == ("Adapting from books to kitchen ", verb, outcome)
    assert found.rest[0].isupper() and found.why[0].isupper()


def test_cards_with_labels() -> None:
    cards = {card.label: card for card in result(adapt_report()).cards}
    assert list(cards) == [
        "Score on the target", "Gain over source only", "Ceiling", "Source domain"
    ]  # fmt: skip
    assert (cards["Score on the target"].value, cards["Score on the target"].interval) == (
        "75.5%",
        "72.5 to 78.5%",
    )
    assert cards["Gain over source only"].interval == "95% interval +2.3 to +6.3"
    assert cards["Ceiling"].value == "83.2%" and cards["Source domain"].value == "86.1%"


def test_balanced_accuracy_where_it_says_something_else() -> None:
    report = adapt_report()
    test = {"accuracy": report.found.returned.truth, "balanced_accuracy": Interval(0.61)}
    report = replace(report, record=replace(report.record, test=test))
    assert [card.value for card in result(report).cards if card.label == "Balanced accuracy"] == ["61.0%"]


def test_cards_without_labels() -> None:
    cards = {card.label: card.value for card in result(adapt_report(scored=False)).cards}
    assert cards == {"Answers that change": "13%", "Source domain": "86.1%"}
    kept = result(adapt_report(scored=False, returned="none", in_domain=Interval(None, why="too few items")))
    assert [(card.label, card.value) for card in kept.cards] == [("Source domain", "unknown")]


def test_what_to_do_without_labels() -> None:
    assert "label 200 items" in result(adapt_report(scored=False)).todo
    assert result(adapt_report()).todo == ""


def test_notices() -> None:
    texts = [f"{notice.title} {notice.text}" for notice in result(with_everything()).notices]
    assert any("hardly reads" in text for text in texts) and any("12 items" in text for text in texts)
    assert any(text.startswith("Possible label shift Do not align") for text in texts)
    severities = [notice.severity for notice in result(with_everything()).notices]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    assert not result(adapt_report(outcome="positive")).notices


def test_what_the_section_on_the_shift_says_is_no_notice() -> None:
    report = adapt_report(kind="label")
    (notice,) = result(report).notices
    assert notice.title == "Label shift" and "`--method label-shift`" in notice.text
    warned = replace(report, found=replace(report.found, warnings=(report.found.shift["advice"],)))
    assert [each.title for each in result(warned).notices] == [""]
    noted = replace(report, found=replace(report.found, notes=(*report.found.notes, "Another note.")))
    assert [each.text for each in result(noted).notices][1:] == ["Another note."]
