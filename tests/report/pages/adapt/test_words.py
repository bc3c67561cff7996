"""Sentences and cells of an adaptation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headstart.adapt.alignments import ALIGNMENTS
from headstart.adapt.label_shift.correction import CORRECTIONS
from headstart.adapt.learners import LEARNERS, LOGISTIC
from headstart.adapt.method_names import BATCH_NORM
from headstart.adapt.selectors import SELECTORS as ALL_SELECTORS
from headstart.report.pages.adapt.words import (
    DOES,
    SELECTORS,
    SELECTORS_SAY,
    SHORT,
    as_code,
    does_words,
    labels_for_gain,
    selector_words,
    sentence_case,
)
from small_adaptations import adapt_report, method_row


def test_every_method_and_selector_has_words() -> None:
    learners = [name for name in LEARNERS if name != LOGISTIC.name]
    parts = {*ALIGNMENTS, *learners, *CORRECTIONS, BATCH_NORM}
    assert parts == set(DOES)
    assert set(ALL_SELECTORS) == set(SELECTORS) == set(SHORT) == set(SELECTORS_SAY)


def test_what_a_method_does() -> None:
    assert does_words(method_row("standardise+infomax")) == f"{DOES['standardise']}; {DOES['infomax']}"
    assert does_words(replace(method_row("coral"), note="too few items")) == "not used: too few items"
    assert does_words(method_row("a new one")) == "a new one"


@pytest.mark.parametrize(
    ("value", "words"), [(0.5, "0.500"), (-0.25, "−0.250"), (float("nan"), ""), (float("-inf"), "")]
)
def test_what_a_selector_says(value: float, words: str) -> None:
    assert selector_words(replace(method_row("coral"), scores={"dev": value}), "dev") == words
    assert selector_words(method_row("coral"), "never asked") == ""


@pytest.mark.parametrize(
    ("agreement", "n_target", "expected"),
    [(0.5, 5000, (769, False)), (0.999, 5000, (30, False)), (0.5, 100, (100, True)), (1.0, 100, None)],
)
def test_how_many_labels_measure_the_gain(
    agreement: float, n_target: int, expected: tuple[int, bool] | None
) -> None:
    found = adapt_report(scored=False, n_target=n_target).found
    rows = tuple(replace(row, agreement=agreement) for row in found.methods)
    labels = labels_for_gain(replace(found, methods=rows))
    assert (None if labels is None else (labels.n_items, labels.is_all)) == expected


def test_so_many_labels_are_enough_whatever_the_items_are() -> None:
    """The interval of a gain at its widest: half of the differing answers turn right, half wrong."""
    labels = labels_for_gain(adapt_report(scored=False).found)
    assert labels is not None
    n_differ = round(0.13 * labels.n_items)
    gains = [1.0, -1.0] * (n_differ // 2) + [0.0] * (labels.n_items - n_differ)
    deviation = (sum(g * g for g in gains) / len(gains)) ** 0.5
    assert 1.96 * deviation / len(gains) ** 0.5 <= 0.0501


def test_options_in_a_sentence_are_code() -> None:
    assert as_code("use --method coral, not --holdout 0.5") == "use `--method coral`, not `--holdout 0.5`"
    assert as_code("use --report to see") == "use `--report` to see"
    assert as_code("already `--seeds 5`") == "already `--seeds 5`"
    assert as_code("(--method em); do") == "(`--method em`); do"
    assert as_code("bn+standardise+infomax: its score") == "`bn+standardise+infomax`: its score"
    assert as_code("+4.3 points (a + b)") == "+4.3 points (a + b)"


def test_a_sentence_begins_with_a_capital_letter_but_for_a_method() -> None:
    assert sentence_case("its score is low.") == "Its score is low."
    for text in ("bn+standardise: its score", "coral was asked for.", "subspace is vetoed"):
        assert sentence_case(text) == text
