"""The rule by which a training is better than the head alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.tasks import MULTILABEL, REGRESSION
from headstart.tune.objectives.supervised import balanced_weights
from headstart.tune.race.comparison import ASKED, Bound, Comparison, ValidationItems


def logits_of(right: np.ndarray, labels: np.ndarray, size: float = 2.0) -> np.ndarray:
    """Logits that choose the label where `right`, else the other of two classes."""
    chosen = np.where(right, labels, 1 - labels)
    return size * np.eye(2)[chosen]


def compared(
    logits: np.ndarray, reference: np.ndarray, labels: np.ndarray, *args: Any, **options: Any
) -> Comparison:
    """One training that was looked at once, against a head alone."""
    items = ValidationItems(reference, labels, *args, **options)
    return items.compare(logits, items.bound([items.look(logits)]))


def test_equal_candidates_are_not_better() -> None:
    labels = np.arange(40) % 2
    logits = logits_of(np.arange(40) % 5 > 0, labels)
    found = compared(logits, logits, labels)
    assert (found.quality, found.quality_error, found.loss) == (0, 0, 0)
    assert not found.better


def test_the_difference_is_paired() -> None:
    labels = np.arange(100) % 2
    reference = np.arange(100) >= 20
    candidate = np.arange(100) >= 10
    found = compared(logits_of(candidate, labels), logits_of(reference, labels), labels)
    assert found.quality == pytest.approx(0.10)
    assert found.quality_error == pytest.approx(np.std(np.arange(100) < 10, ddof=1) / 10)
    assert found.better


@pytest.mark.parametrize("n_more", [1, 2, 3, 4])
def test_a_gain_of_few_items_is_chance(n_more: int) -> None:
    """Of equally good ones the candidate alone is right about the next three in one case of eight."""
    labels = np.arange(37) % 2
    reference = np.arange(37) >= 6
    candidate = np.arange(37) >= 6 - n_more
    found = compared(logits_of(candidate, labels), logits_of(reference, labels), labels)
    assert found.quality > found.quality_error * 0.99, "it passed a rule of one standard error"
    assert replace(found, loss=0.0).better == (n_more == 4)


def test_one_item_is_not_enough_however_small_its_error() -> None:
    many = Comparison(1 / 150, 0.001, -1.0, 0.1, Bound(1.3, 1), 150)
    assert not many.better and replace(many, quality=2 / 150).better


def test_equal_accuracy_is_decided_by_log_loss() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(200) % 2
    margin = np.abs(random.normal(size=200)) * np.where(np.arange(200) % 10 == 0, -0.2, 1.0)
    noisy = np.where(np.arange(200) % 10 == 0, -np.abs(random.normal(size=200)), np.abs(margin))
    sharp, blunt = (np.eye(2)[labels] * m[:, None] for m in (margin, noisy))
    found = compared(sharp, blunt, labels)
    assert found.quality == 0 and found.loss > 2 * found.loss_error and found.better
    assert not compared(blunt, sharp, labels).better


@pytest.mark.parametrize("n_errors", [0, 3, 4])
def test_nothing_is_better_than_hardly_an_error(n_errors: int) -> None:
    """On a few items that are all right the log loss tells how sure a candidate is, and no more."""
    labels = np.arange(36) % 2
    random = np.random.default_rng(0)
    reference = logits_of(np.arange(36) >= n_errors, labels) * random.uniform(0.1, 1.0, (36, 1))
    found = compared(logits_of(np.ones(36, bool), labels, 8.0), reference, labels)
    assert found.loss > max(0.01, found.loss_error)
    assert found.better == (n_errors == 4) == ("the head alone makes fewer than 4 errors" not in found.words)


def test_a_policy_that_was_asked_for_has_a_lower_bound() -> None:
    labels = np.arange(36) % 2
    pair = logits_of(np.ones(36, bool), labels), logits_of(np.arange(36) >= 3, labels)
    assert not compared(*pair, labels).better
    assert compared(*pair, labels, level=ASKED).better


def test_every_look_raises_the_bound() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(100) % 2
    reference = np.arange(100) >= 20
    looks = [logits_of(reference ^ (random.random(100) < 0.15), labels) for _ in range(30)]
    candidate = logits_of(np.arange(100) >= 15, labels)
    items = ValidationItems(logits_of(reference, labels), labels)
    own = items.look(candidate)
    once, often = items.bound([own]), items.bound([own, *map(items.look, looks)])
    assert (once.n_looks, often.n_looks) == (1, 31)
    assert items.compare(candidate, once).better and not items.compare(candidate, often).better
    assert items.bound([own] * 9).errors == pytest.approx(once.errors), "the same look again is none"


def test_items_of_a_group_count_together() -> None:
    labels = np.arange(60) % 2
    reference = np.arange(60) >= 12
    candidate = np.ones(60, bool)
    pair = logits_of(candidate, labels), logits_of(reference, labels)
    alone = compared(*pair, labels)
    grouped = compared(*pair, labels, np.arange(60) // 12)
    assert grouped.quality == alone.quality and alone.better
    assert grouped.quality_error > 2 * alone.quality_error
    assert not replace(grouped, loss=0.0).better, "all of the gain is in one group"


@pytest.mark.parametrize("n_groups", [1, 3, 4])
def test_it_takes_four_groups_to_tell(n_groups: int) -> None:
    labels = np.arange(60) % 2
    reference = np.arange(60) // 4 % 3 > 0
    groups = np.arange(60) % n_groups
    items = ValidationItems(logits_of(reference, labels), labels, groups, named="groups")
    there_are = "there is 1 group" if n_groups == 1 else f"there are {n_groups} groups"
    told = f"{there_are} among the validation items, and it takes 4"
    assert items.cannot_tell.startswith(told) == (n_groups < 4) == bool(items.cannot_tell)
    logits = logits_of(np.ones(60, bool), labels)
    assert items.compare(logits, items.bound([items.look(logits)])).better == (n_groups == 4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_never_both_better(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(3, size=25)
    first, second = (random.normal(size=(25, 3)) + 2 * np.eye(3)[labels] for _ in range(2))
    assert not (compared(first, second, labels).better and compared(second, first, labels).better)


def test_a_comparison_tells_itself() -> None:
    found = Comparison(0.08, 0.02, 0.05, 0.02, Bound(2.53, 35), 100)
    assert found.words == (
        "+8.0 points of accuracy (standard error 2.0), log loss -0.050 (standard error 0.020) against the head alone: "
        "better (the best of 35 epochs and candidates has by chance up to 5.1 points or a log loss lower by 0.083)"
    )
    assert replace(found, quality=0.04, bound=Bound(2.6, 1)).words.endswith(
        "not better (chance explains up to 5.2 points or a log loss lower by 0.086)"
    )


def test_a_rare_class_gained_for_a_few_frequent_items_is_better_where_classes_count_the_same() -> None:
    labels = np.repeat([0, 1], [180, 20])
    all_frequent = logits_of(labels == 0, labels)
    candidate = logits_of((labels == 1) | (np.arange(200) % 8 > 0), labels)
    assert not compared(candidate, all_frequent, labels).better
    found = compared(candidate, all_frequent, labels, weights_N=balanced_weights(labels))
    assert found.better and "balanced accuracy" in found.words
    assert found.quality == pytest.approx((20 / 20 - np.mean(np.arange(180) % 8 == 0)) / 2)


@pytest.mark.parametrize("task", [MULTILABEL, REGRESSION])
def test_labels_and_quantities_are_compared_by_their_quality(task: Any) -> None:
    random = np.random.default_rng(0)
    if task is MULTILABEL:
        targets = random.integers(2, size=(80, 3))
        signal = 2.0 * targets - 1
    else:
        targets = signal = random.normal(size=(80, 1))
    rough, fine = (signal + size * random.normal(size=signal.shape) for size in (1.5, 0.5))
    assert compared(fine, rough, targets, task=task).better
    assert not compared(rough, fine, targets, task=task).better
    assert not compared(fine, fine, targets, task=task).better
    assert not compared(fine, rough, targets, np.zeros(80), task).better, "one group tells nothing"
