"""What an audit says of labels and time, also where transfer costs more than it saves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headstart.metrics import Interval
from headstart.report.pages.audit.words import (
    as_code,
    gain_words,
    labels_factor,
    labels_words,
    needs_words,
    p_words,
    saved_words,
    time_factor,
    took,
)
from headstart.runs.audit import Saved
from small_audits import audit_report, saved_at

REPORT = audit_report()


@pytest.mark.parametrize(
    ("seconds", "ours", "value", "ends"),
    [
        (0.77, 3.0, "3.9 times as long", "2.8 to 5.5 times"),
        (90.0, 3.0, "30 times as fast", "21 to 42 times"),
        (3.0, 3.05, "about as long", "0.7 to 1.4 times"),
    ],
)
def test_time_is_never_a_fraction(seconds: float, ours: float, value: str, ends: str) -> None:
    found = time_factor(saved_at("classical", 57, seconds=seconds, ours=ours))
    assert (found.value, found.ends) == (value, ends)
    assert found.detail == f"{took(ours)} in place of {took(seconds)}"


def test_time_is_bounded_where_the_labels_are() -> None:
    faster = saved_at("classical", 20, bound="at least", seconds=9.0, ours=1.2)
    slower = saved_at("classical", 20, bound="at least", seconds=2.0, ours=6.0)
    assert time_factor(faster).value == "at least 7.5 times as fast"
    assert time_factor(slower).value == "at most 3.0 times as long"


def test_labels_in_numbers_that_were_measured() -> None:
    found = labels_factor(REPORT, saved_at("classical", 57))
    assert (found.value, found.ends) == ("4.3 times fewer", "41 to 80 labels")
    assert found.detail == "57 in place of 244, for 70.7%, the score of classical features with 244 labels"
    least = labels_factor(REPORT, saved_at("classical", 20, bound="at least"))
    assert (least.value, least.ends) == ("at least 12 times fewer", "up to 28 labels")


@pytest.mark.parametrize(("n_labels", "value"), [(240, "as many"), (488, "2.0 times as many")])
def test_labels_that_are_not_saved(n_labels: int, value: str) -> None:
    assert labels_factor(REPORT, saved_at("classical", n_labels)).value == value


def without_interval(saved: Saved) -> Saved:
    why = "2 independent units"
    return replace(
        saved,
        n_transfer=Interval(57.0, why=why),
        factor=Interval(4.3, why=why),
        time_factor=Interval(0.26, why=why),
    )


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        (
            saved_at("classical", 57, seconds=0.77, ours=3.0),
            "For the 70.7% of classical features with 244 labels, transfer needs 57 labels: 4.3 times fewer (95% "
            "interval 41 to 80 labels). Transfer takes 3.9 times as long: 3.0 s in place of 0.77 s.",
        ),
        (
            saved_at("classical", 57, seconds=90.0, ours=3.0),
            "For the 70.7% of classical features with 244 labels, transfer needs 57 labels: 4.3 times fewer (95% "
            "interval 41 to 80 labels). Transfer is 30 times as fast: 3.0 s in place of 1 min 30 s.",
        ),
        (
            saved_at("classical", 244, bound="not reached"),
            "Transfer does not reach the 70.7% of classical features with 244 labels: no labels and no time are saved.",
        ),
        (
            without_interval(saved_at("classical", 57, seconds=0.77, ours=3.0)),
            "For the 70.7% of classical features with 244 labels, transfer needs 57 labels: 4.3 times fewer (2 "
            "independent units). Transfer takes 3.8 times as long: 3.0 s in place of 0.77 s.",
        ),
    ],
)
def test_a_sentence_for_the_terminal(saved: Saved, words: str) -> None:
    assert saved_words(REPORT, saved) == words


def test_what_was_not_reached_is_no_number() -> None:
    saved = saved_at("classical", 244, bound="not reached")
    assert labels_factor(REPORT, saved).value == time_factor(saved).value == "none saved"


def test_the_smallest_number_is_clearly_enough() -> None:
    saved = without_interval(saved_at("classical", 20, bound="at least"))
    found = labels_factor(REPORT, saved)
    assert (found.ends, found.why) == ("", "20 labels already give clearly more") and time_factor(
        saved
    ).why == ""


def test_why_there_is_no_interval() -> None:
    saved = without_interval(saved_at("classical", 57))
    for found in (labels_factor(REPORT, saved), time_factor(saved)):
        assert (found.ends, found.why) == ("", "2 independent units")


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (Interval(0.451, 0.367, 0.532), "+45.1 (+36.7 to +53.2)"),
        (Interval(-0.02, -0.05, 0.01), "−2.0 (−5.0 to +1.0)"),
        (Interval(0.1), "+10.0"),
        (Interval(None), "none"),
    ],
)
def test_gain(gain: Interval, words: str) -> None:
    assert gain_words(REPORT, gain) == words


def test_small_words() -> None:
    assert [took(s) for s in (0.0312, 0.77, 3.04, 125)] == ["0.031 s", "0.77 s", "3.0 s", "2 min 5 s"]
    assert [p_words(p) for p in (0.0004, 0.0123, 1.0)] == ["< 0.001", "0.012", "1.000"]
    assert labels_words(REPORT.audit, 244) == "all 244 labels"
    assert labels_words(REPORT.audit, 20) == "20 labels"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Use --seeds 5.", "Use `--seeds 5`."),
        ("about 15 seeds (--seeds 15)", "about 15 seeds (`--seeds 15`)"),
        ("pass `--group`", "pass `--group`"),
        ("one-way", "one-way"),
    ],
)
def test_options_are_code(text: str, words: Any) -> None:
    assert as_code(text) == words


def test_what_would_decide_it_is_not_said_where_nothing_can() -> None:
    final = audit_report(outcome="undecided").audit.final
    assert needs_words(final) == final.needs
    assert needs_words(replace(final, gain=Interval(0.1, why="2 independent units"))) == ""


def test_labels_saved_are_not_claimed_where_the_interval_holds_all_of_them() -> None:
    saved = replace(
        saved_at("classical", 100), n_transfer=Interval(100.0, 20.0, 244.0), factor=Interval(2.4, 1.0, 12.2)
    )
    found = labels_factor(REPORT, saved)
    assert (found.value, found.ends) == ("not shown", "any number of labels")
    text = saved_words(REPORT, saved)
    assert (
        "transfer may need 100 labels; that it needs fewer is not shown (95% interval any number of labels)"
        in text
    )
