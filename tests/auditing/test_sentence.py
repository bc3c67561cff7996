"""The sentence of an audit says what transfer does, by how much, against what, and what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headstart.auditing.sentence import sentence
from headstart.metrics import Interval
from headstart.runs.audit import AuditFacts, SizeVerdict
from small_audits import SIZES, audit_report, saved_at


def facts(outcome: Any = "positive", **changes: Any) -> AuditFacts:
    return replace(audit_report(("classical", "majority"), outcome=outcome).audit, **changes)


def verdict(outcome: Any, gain: Interval, n_labels: int = 244, **more: Any) -> SizeVerdict:
    found = {"against": "classical", "p": 0.2, "gains": {"classical": gain}, **more}
    return SizeVerdict(n_labels, outcome, gain=gain, **found)


def test_positive_says_how_many_labels_are_enough() -> None:
    assert sentence(facts()) == (
        "Transfer helps with all 244 labels: accuracy is 25.0 points higher than with classical features (95% "
        "interval 21.0 to 29.0), and 20 labels are enough for the 70.7% that classical features reach with 244."
    )
    between = facts(saved={"classical": saved_at("classical", 57)})
    assert "and about 57 labels are enough for" in sentence(between)
    for saved in ({}, {"classical": saved_at("classical", 244, bound="not reached")}):
        assert sentence(facts(saved=saved)).endswith("(95% interval 21.0 to 29.0).")


def test_negative_says_what_to_do() -> None:
    found = facts("negative", verdicts=[verdict("negative", Interval(-0.1, -0.14, -0.06))])
    assert sentence(found) == (
        "Transfer hurts with all 244 labels: accuracy is 10.0 points lower than with classical features (95% interval "
        "6.0 to 14.0). Let headstart fit --guard return classical features, or try another source."
    )
    worse = verdict("negative", Interval(-0.1, -0.14, -0.06), against="random")
    assert sentence(facts("negative", verdicts=[worse])).endswith(
        "(95% interval 6.0 to 14.0). Try another source."
    )


def test_undecided_says_why() -> None:
    small = Interval(0.008, -0.02, 0.036)
    text = sentence(facts(verdicts=[verdict("undecided", small)]))
    assert text == (
        "It is undecided whether transfer helps with all 244 labels: accuracy is 0.8 points higher than with classical "
        "features (95% interval −2.0 to +3.6)."
    )
    clear = Interval(0.05, 0.01, 0.09)
    other = verdict("undecided", clear, gains={"classical": clear, "scratch": small})
    assert "but not clearly better than with the same network trained from scratch." in sentence(
        facts(verdicts=[other])
    )
    assert "which is too little where several numbers of labels are looked at." in sentence(
        facts(verdicts=[verdict("undecided", clear)])
    )


def test_another_verdict_with_fewer_labels_is_said() -> None:
    found = facts(
        verdicts=[
            verdict("positive", Interval(0.3, 0.2, 0.4), 20),
            verdict("negative", Interval(-0.1, -0.14, -0.06)),
        ]
    )
    assert sentence(found).endswith(
        "With 20 labels it helps: accuracy is 30.0 points higher than with classical features (95% interval 20.0 to "
        "40.0)."
    )
    alike = [verdict("positive", Interval(0.3, 0.2, 0.4), size) for size in SIZES]
    assert "With 20 labels" not in sentence(facts(verdicts=alike, saved={}))


def test_a_loss_is_lower() -> None:
    gain = Interval(-0.12, -0.16, -0.08)
    found = facts(metric="log_loss", verdicts=[verdict("positive", gain)], saved={}, n_train=900)
    assert sentence(found) == (
        "Transfer helps with 244 labels: log loss is 0.120 lower than with classical features (95% interval 0.080 to "
        "0.160)."
    )


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (
            Interval(0.0, -0.02, 0.02),
            "accuracy is the same as with classical features (95% interval −2.0 to +2.0)",
        ),
        (
            Interval(0.01, why="2 units"),
            "accuracy is 1.0 point higher than with classical features (no interval",
        ),
        (Interval(None), "the difference could not be measured"),
    ],
)
def test_without_a_difference_or_an_interval(gain: Interval, words: str) -> None:
    assert words in sentence(facts(verdicts=[verdict("undecided", gain)]))


def test_nothing_to_compare_with() -> None:
    found = verdict("undecided", Interval(None, why="nothing was measured"), against="", gains={})
    assert sentence(facts(verdicts=[found])).endswith("all 244 labels: nothing was measured.")
