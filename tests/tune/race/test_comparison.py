"""The rule by which a candidate is better than the head alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.tune.objectives.supervised import balanced_weights
from headstart.tune.race.comparison import Comparison, compare


def logits_of(right: np.ndarray, labels: np.ndarray, size: float = 2.0) -> np.ndarray:
    """Logits that choose the label where `right`, else the other of two classes."""
    chosen = np.where(right, labels, 1 - labels)
    return size * np.eye(2)[chosen]


def test_equal_candidates_are_not_better() -> None:
    labels = np.arange(40) % 2
    logits = logits_of(np.arange(40) % 5 > 0, labels)
    found = compare(logits, logits, labels)
    assert (found.quality, found.quality_error, found.loss) == (0, 0, 0)
    assert not found.better


def test_the_difference_is_paired() -> None:
    labels = np.arange(100) % 2
    reference = np.arange(100) >= 20
    candidate = np.arange(100) >= 10
    found = compare(logits_of(candidate, labels), logits_of(reference, labels), labels)
    assert found.quality == pytest.approx(0.10)
    assert found.quality_error == pytest.approx(np.std(np.arange(100) < 10, ddof=1) / 10)
    assert found.better


def test_one_item_more_is_not_better_by_itself() -> None:
    labels = np.arange(50) % 2
    reference = np.arange(50) >= 6
    candidate = reference.copy()
    candidate[0], candidate[1], candidate[10] = True, True, False
    found = compare(logits_of(candidate, labels), logits_of(reference, labels), labels)
    assert found.quality == pytest.approx(0.02)
    assert found.quality < found.quality_error


def test_equal_accuracy_is_decided_by_log_loss() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(200) % 2
    margin = np.abs(random.normal(size=200)) * np.where(np.arange(200) % 10 == 0, -0.2, 1.0)
    noisy = np.where(np.arange(200) % 10 == 0, -np.abs(random.normal(size=200)), np.abs(margin))
    sharp, blunt = (np.eye(2)[labels] * m[:, None] for m in (margin, noisy))
    found = compare(sharp, blunt, labels)
    assert found.quality == 0 and found.loss > 2 * found.loss_error and found.better
    assert not compare(blunt, sharp, labels).better


@pytest.mark.parametrize("n_errors", [0, 3, 4])
def test_nothing_is_better_than_hardly_an_error(n_errors: int) -> None:
    """On a few items that are all right the log loss tells how sure a candidate is, and no more."""
    labels = np.arange(36) % 2
    random = np.random.default_rng(0)
    reference = logits_of(np.arange(36) >= n_errors, labels) * random.uniform(0.1, 1.0, (36, 1))
    found = compare(logits_of(np.ones(36, bool), labels, 8.0), reference, labels)
    assert found.loss > max(0.01, found.loss_error)
    assert found.better == (n_errors == 4) == ("too few errors" not in found.words)


def test_groups_widen_the_error() -> None:
    labels = np.arange(60) % 2
    reference = np.arange(60) >= 12
    candidate = np.ones(60, bool)
    pair = logits_of(candidate, labels), logits_of(reference, labels)
    alone = compare(*pair, labels)
    grouped = compare(*pair, labels, np.arange(60) // 12)
    assert grouped.quality == alone.quality
    assert grouped.quality_error > 2 * alone.quality_error
    assert not compare(*pair, labels, np.zeros(60)).better, "one group tells nothing"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_never_both_better(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(3, size=25)
    first, second = (random.normal(size=(25, 3)) + 2 * np.eye(3)[labels] for _ in range(2))
    assert not (compare(first, second, labels).better and compare(second, first, labels).better)


def test_a_comparison_tells_itself() -> None:
    words = Comparison(0.021, 0.01, 0.05, 0.02).words
    assert words.startswith("+2.1 points of accuracy (standard error 1.0), log loss -0.050")
    assert words.endswith("against the head alone: better")


def test_a_rare_class_gained_for_a_few_frequent_items_is_better_where_classes_count_the_same() -> None:
    labels = np.repeat([0, 1], [180, 20])
    all_frequent = logits_of(labels == 0, labels)
    candidate = logits_of((labels == 1) | (np.arange(200) % 8 > 0), labels)
    assert not compare(candidate, all_frequent, labels).better
    found = compare(candidate, all_frequent, labels, weights_N=balanced_weights(labels))
    assert found.better and "balanced accuracy" in found.words
    assert found.quality == pytest.approx((20 / 20 - np.mean(np.arange(180) % 8 == 0)) / 2)
