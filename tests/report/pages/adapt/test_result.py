"""The first section: the sentence with its colour, cards, notices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headstart.metrics import Interval
from headstart.report.pages.adapt import AdaptReport
from headstart.report.pages.adapt.result import Result, result_section
from small_adaptations import adapt_report, shift_found, with_everything


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
        "Score on the target", "Balanced accuracy", "Gain over source only", "Ceiling", "Score in the source domain"
    ]  # fmt: skip
    assert (cards["Score on the target"].value, cards["Score on the target"].interval) == ("75.5%", "72.5 to 78.5%")
    assert cards["Gain over source only"].interval == "95% interval +2.3 to +6.3"
    assert cards["Ceiling"].value == "83.2%" and cards["Score in the source domain"].value == "86.1%"


def test_cards_without_labels() -> None:
    cards = {card.label: card.value for card in result(adapt_report(scored=False)).cards}
    assert cards == {"Answers that change": "13%", "Score in the source domain": "86.1%"}
    kept = result(adapt_report(scored=False, returned="none", in_domain=Interval(None, why="too few items")))
    assert [(card.label, card.value) for card in kept.cards] == [("Score in the source domain", "unknown")]


def test_what_to_do_without_labels() -> None:
    assert "label 200 items" in result(adapt_report(scored=False)).todo
    assert result(adapt_report()).todo == ""


def test_notices() -> None:
    texts = [f"{notice.title} {notice.text}" for notice in result(with_everything()).notices]
    assert any("hardly reads" in text for text in texts) and any("12 items" in text for text in texts)
    assert any(text.startswith("Strong label shift Do not align") for text in texts)
    assert any("seems to hold no items of species-number-03" in text for text in texts)
    assert any("6.0%" in text and "further from every class" in text for text in texts)
    severities = [notice.severity for notice in result(with_everything()).notices]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    assert not result(adapt_report(outcome="positive")).notices


def test_missing_classes_are_named_up_to_five() -> None:
    names = tuple("abcdefg")
    report = adapt_report(classes=names, shift=shift_found("label", missing=range(7), n_classes=7))
    texts = [notice.text for notice in result(report).notices]
    assert "kitchen seems to hold no items of a, b, c, d, e and 2 more." in texts
    beyond = replace(report.found, classes=report.found.classes[:2])
    assert any("items of a, b." in notice.text for notice in result(replace(report, found=beyond)).notices)
