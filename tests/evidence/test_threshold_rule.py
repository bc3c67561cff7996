"""Thresholds for a recall, a precision or a cost, against slow versions of their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import OptionError
from headstart.evidence.threshold_rule import ThresholdRule

SHARES = st.sampled_from((0.5, 0.8, 0.9, 0.95))
ITEMS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 20).map(lambda p: p / 20)), min_size=1, max_size=60
).map(lambda rows: (np.array([row[0] for row in rows]), np.array([row[1] for row in rows])))


@given(ITEMS, SHARES)
def test_recall_holds_on_the_items_with_one_to_spare(
    items: tuple[np.ndarray, np.ndarray], recall: float
) -> None:
    positive, p = items
    rule = ThresholdRule("a", "recall", recall)
    value = rule.chosen(positive, p)
    if not positive.any():
        assert value is None
        return
    assert value is not None
    n_of_class = int(positive.sum())
    needed = min(math.ceil(recall * (n_of_class + 1) - 1e-9), n_of_class)
    assert (p[positive] >= value).sum() >= needed
    assert n_of_class < rule.least_items or needed <= n_of_class
    higher = p[p > value]
    if len(higher):  # the next higher threshold finds too few
        assert (p[positive] > higher.min()).sum() < needed


@given(ITEMS, SHARES)
def test_the_smallest_threshold_with_the_precision(
    items: tuple[np.ndarray, np.ndarray], precision: float
) -> None:
    positive, p = items

    def enough(value: float) -> bool:
        called = p >= value
        return bool(positive[called].sum() >= precision * (called.sum() + 1) - 1e-9)

    expected = [value for value in np.unique(p) if enough(value)]
    value = ThresholdRule("a", "precision", precision).chosen(positive, p)
    if not expected:
        assert value is None
        return
    assert value is not None and value <= expected[0]
    np.testing.assert_array_equal(p >= value, p >= expected[0])


def test_the_expected_recall_of_new_items_is_what_was_asked_for() -> None:
    rng, rule = np.random.default_rng(0), ThresholdRule("a", "recall", 0.9)
    found = []
    for _ in range(2_000):
        p = rng.random(25)
        value = rule.chosen(np.ones(25, bool), p)
        assert value is not None
        found.append(1 - value)  # of uniform probabilities this share lies above
    assert np.mean(found) == pytest.approx(24 / 26 + 0.5 / 26, abs=0.005), (
        "the 24th of 25, halfway to the next"
    )


def test_a_cost_needs_no_items() -> None:
    rule = ThresholdRule.parse("a:cost=4")
    assert rule.chosen(np.zeros(0, bool), np.zeros(0)) == pytest.approx(0.2)
    rng = np.random.default_rng(0)  # the cheapest threshold where probabilities are true
    p = rng.random(200_000)
    positive = rng.random(200_000) < p
    costs = {t: 4 * (positive & (p < t)).sum() + (~positive & (p >= t)).sum() for t in (0.1, 0.2, 0.3)}
    assert min(costs, key=lambda t: costs[t]) == 0.2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bees", "must be CLASS:recall"),
        (":recall=0.5", "must be CLASS:recall"),
        ("bees:recal=0.9", "did you mean 'recall'"),
        ("bees:recall=95", "between 0 and 1"),
        ("bees:recall=nan", "between 0 and 1"),
        ("bees:cost=0", "above 0"),
        ("bees:precision=", "must be CLASS:recall"),
        ("bees:precision=high", "between 0 and 1"),
    ],
)
def test_a_wrong_rule_is_refused(text: str, message: str) -> None:
    with pytest.raises(OptionError, match=f"(?i){message}"):
        ThresholdRule.parse(text)


def test_a_class_may_hold_a_colon() -> None:
    assert ThresholdRule.parse("t:cell:recall=0.9") == ThresholdRule("t:cell", "recall", 0.9)


@given(st.floats(1e-300, 1e300))
def test_a_rule_is_read_again_as_it_was_written(value: float) -> None:
    rule = ThresholdRule("a", "cost", value)
    assert ThresholdRule.parse(f"a:{rule.text}") == rule
    assert ThresholdRule.parse("a:recall=0.9999996").text == "recall=0.9999996"
    assert ThresholdRule.parse("a:cost=5").text == "cost=5"
