"""Page and terminal text of a calibration."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from headstart.metrics import Interval
from headstart.report import end_block, render
from headstart.report.pages.calibrate.summary import summary_of
from headstart.report.words import number
from small_calibrations import CLASSES, calibrate_report


@pytest.mark.parametrize("task", ["classification", "multilabel"])
def test_the_page_shows_both_diagrams_scores_and_biases(task: str) -> None:
    report = calibrate_report(task)
    page = render(report)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "Before the correction" in text and "After the correction" in text
    assert page.count('aria-label="Reliability diagram') == 2
    for scores in (report.found.before, report.found.after):
        assert number(scores["log_loss"].value, "log_loss") in text
    assert "temperature and biases" in text and "(chosen)" in text
    assert "no finding &lt;b&gt;at all&lt;/b&gt;" in page and CLASSES[2] not in page
    assert "headstart predict runs/xray-new NEW_ITEMS" in text


def test_a_class_whose_bias_stays_is_named() -> None:
    report = calibrate_report(kept=("pneumonia",), notes=("The bias of 1 class that no item has stays.",))
    assert report.found.biases  # classes have other shares there
    page = render(report)
    assert ">stays</td>" in page and "The bias of 1 class that no item has stays." in page
    assert "- The bias of 1 class" in end_block(report)


def test_the_text_has_scores_before_and_after_in_92_columns() -> None:
    report = calibrate_report(warnings=("The run does not know 1 class of the data.",))
    text = end_block(report)
    assert max(map(len, text.splitlines())) <= 92
    row = next(line for line in text.splitlines() if line.startswith("  Log loss"))
    for scores in (report.found.before, report.found.after):
        assert number(scores["log_loss"].value, "log_loss") in row
    assert "! The run does not know 1 class of the data." in text
    assert f"{report.found.n_changed:,} of 240 answers change" in text
    assert "report.html" not in end_block(report, has_report=False)


def test_a_temperature_alone_changes_no_answer() -> None:
    report = calibrate_report(biases={}, n_changed=0)
    assert "A temperature alone changes no answer." in end_block(report)
    assert "The order of the classes of an item stays as it was" in render(report)


def test_the_text_without_a_correction_has_the_scores_as_they_are() -> None:
    found = replace(
        calibrate_report().found, outcome="undecided", after={}, change={}, sentence="Too few items to tell."
    )
    text = summary_of(found)
    assert text.startswith("Too few items to tell.") and "after" not in text
    assert number(found.before["log_loss"].value, "log_loss") in text


def test_a_change_without_an_interval_is_shown_as_such() -> None:
    report = calibrate_report()
    change = {**report.found.change, "accuracy": Interval(0.1, why="2 units, 3 are needed for an interval")}
    shown = replace(report, found=replace(report.found, change=change))
    assert "accuracy +10.0 points." in end_block(shown).replace("\n", " ")
