"""The scores without items that the source has seen."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.evidence import without_seen
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def answers(right: np.ndarray) -> np.ndarray:
    """Probabilities of two classes for items of class 0."""
    return np.where(right[:, None], [[0.8, 0.2]], [[0.3, 0.7]])


def test_scores_are_those_of_the_items_left() -> None:
    generator = np.random.default_rng(0)
    right, seen = generator.random(80) < 0.7, np.arange(80) < 30
    labels = np.where(generator.random(80) < 0.5, 0, 1)
    outputs = np.where(labels[:, None] == 0, answers(right), answers(right)[:, ::-1])
    units = np.arange(80) // 2
    found = without_seen(CLASSIFICATION, labels, outputs, seen, units)
    assert found.n_left == 50 and found.metric == "accuracy"
    plain = CLASSIFICATION.metrics(labels[~seen], outputs[~seen], units[~seen])
    assert {name: score.to_json() for name, score in found.test.items()} == {
        name: score.to_json() for name, score in plain.items()
    }
    assert found.difference.value == pytest.approx(right[~seen].mean() - right.mean())
    assert found.to_json()["test"]["accuracy"]["value"] == pytest.approx(right[~seen].mean())


@pytest.mark.parametrize(("n_items", "share", "on_seen"), [(100, 0.1, 0.95), (300, 0.2, 0.9)])
def test_the_interval_holds(n_items: int, share: float, on_seen: float) -> None:
    """Seen items are right more often: by how much that lifts the score, is covered 95% of the time."""
    generator = np.random.default_rng(1)
    truth = 0.7 - (share * on_seen + (1 - share) * 0.7)
    covered = []
    for _ in range(1_000):
        seen = generator.random(n_items) < share
        right = generator.random(n_items) < np.where(seen, on_seen, 0.7)
        found = without_seen(CLASSIFICATION, np.zeros(n_items, int), answers(right), seen).difference
        assert found.low is not None and found.high is not None
        covered.append(found.low <= truth <= found.high)
    assert 0.93 < np.mean(covered) < 0.975


def test_units_count_once() -> None:
    right = np.repeat(np.random.default_rng(2).random(30) < 0.6, 8)
    seen = np.repeat(np.arange(30) < 10, 8)
    zeros = np.zeros(240, int)
    items = without_seen(CLASSIFICATION, zeros, answers(right), seen).difference
    units = without_seen(CLASSIFICATION, zeros, answers(right), seen, np.repeat(np.arange(30), 8)).difference
    assert items.value == units.value
    assert units.high - units.low > 2 * (items.high - items.low)  # type: ignore[operator]


def test_nothing_left_and_too_few_units() -> None:
    zeros, right = np.zeros(6, int), np.ones(6, bool)
    none = without_seen(CLASSIFICATION, zeros, answers(right), np.ones(6, bool))
    assert none.n_left == 0 and not none.test and none.difference.value is None
    few = without_seen(CLASSIFICATION, zeros, answers(right), np.arange(6) < 3, np.arange(6) // 3)
    assert few.difference.low is None and "units" in few.difference.why
    same = without_seen(CLASSIFICATION, zeros, answers(right), np.arange(6) < 3)
    assert same.difference.value == 0 and same.difference.low is None


def test_other_tasks() -> None:
    generator, seen = np.random.default_rng(3), np.arange(60) < 20
    values = generator.normal(size=(60, 1))
    guesses = values + np.where(seen, 0.1, 0.6)[:, None] * generator.normal(size=(60, 1))
    found = without_seen(REGRESSION, values, guesses, seen)
    assert found.metric == "r2" and found.difference.value is not None and found.difference.value < 0
    assert found.test["r2"].value == pytest.approx(REGRESSION.metrics(values[20:], guesses[20:])["r2"].value)
    labels = (generator.random((60, 3)) < 0.4).astype(np.float32)
    outputs = np.clip(0.5 * labels + 0.25 + 0.1 * generator.random((60, 3)), 0.01, 0.99)
    several = without_seen(MULTILABEL, labels, outputs, seen)
    assert several.metric == "explained_log_loss" and several.difference.low is not None
