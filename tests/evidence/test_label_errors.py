"""Labels that may be wrong: planted ones are found, right ones are not taken for more than chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.evidence.label_errors import label_errors, label_noise


def gaussian(n_classes: int, apart: float, seed: int, n_items: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities of Gaussian classes at the corners of a simplex, and classes drawn from them."""
    random = np.random.default_rng(seed)
    truth = random.integers(n_classes, size=n_items)
    x = random.normal(size=(n_items, n_classes))
    x[np.arange(n_items), truth] += apart
    odds = np.exp(apart * (x - x.max(axis=1, keepdims=True)))
    return odds / odds.sum(axis=1, keepdims=True), truth


def flipped(truth: np.ndarray, n_classes: int, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which a share is replaced by another class, and the items that were."""
    random = np.random.default_rng(seed)
    rows = random.permutation(len(truth))[: round(share * len(truth))]
    labels = truth.copy()
    labels[rows] = (truth[rows] + random.integers(1, n_classes, len(rows))) % n_classes
    return labels, rows


def naive(outputs: np.ndarray, labels: np.ndarray, share: float) -> list[int]:
    """The same list in plain loops, for a share that is known."""
    n_items, n_classes = outputs.shape
    thresholds = {k: np.mean([outputs[i, k] for i in range(n_items) if labels[i] == k]) for k in set(labels)}
    n_joint, contradicted = 0, []
    for i in range(n_items):
        if max(range(n_classes), key=lambda k: outputs[i, k]) == labels[i]:
            continue
        contradicted.append(i)
        reached = [k for k, threshold in thresholds.items() if outputs[i, k] >= threshold]
        n_joint += bool(reached) and max(reached, key=lambda k: outputs[i, k]) != labels[i]
    n_listed = max(n_joint, round(share * n_items))
    return sorted(contradicted, key=lambda i: outputs[i, labels[i]])[:n_listed]


@pytest.mark.parametrize("n_classes", [2, 3, 8])
def test_planted_errors_are_first_and_counted(n_classes: int) -> None:
    outputs, truth = gaussian(n_classes, 4.0, seed=n_classes)
    labels, rows = flipped(truth, n_classes, 0.05)
    found = label_errors(outputs, labels)
    first = found.rows[: len(rows)]
    assert np.isin(first, rows).mean() >= 0.9
    assert (found.suggested[: len(rows)] == truth[first]).mean() >= 0.9
    assert found.noise.is_clear and 0.03 < found.noise.share < 0.07
    np.testing.assert_array_equal(found.probability, outputs[found.rows, labels[found.rows]])
    np.testing.assert_array_equal(found.probability_of_suggested, outputs[found.rows].max(axis=1))
    assert (np.diff(found.probability) >= 0).all()


@pytest.mark.parametrize(("n_classes", "apart"), [(2, 1.0), (2, 3.0), (5, 2.0)])
def test_right_labels_are_no_more_than_chance(n_classes: int, apart: float) -> None:
    p_values = [label_noise(*gaussian(n_classes, apart, seed, 300)).p_value for seed in range(100)]
    assert np.mean(np.array(p_values) < 0.05) <= 0.1
    assert not any(p < 1e-3 for p in p_values)


@given(st.integers(2, 5), st.integers(0, 2**32 - 1), st.integers(10, 60))
def test_the_list_is_that_of_plain_loops(n_classes: int, seed: int, n_items: int) -> None:
    random = np.random.default_rng(seed)
    outputs = random.dirichlet(np.ones(n_classes), n_items)
    labels = np.append(random.integers(n_classes, size=n_items - 1), 0)
    found = label_errors(outputs, labels)
    assert found.rows.tolist() == naive(outputs, labels, found.noise.share)


@pytest.mark.parametrize(
    ("n_classes", "seed", "n_off_diagonal"), [(2, 0, 2), (3, 1, 3), (6, 2, 14), (4, 3, 9)]
)
def test_as_many_as_in_the_confident_joint_of_cleanlab(
    n_classes: int, seed: int, n_off_diagonal: int
) -> None:
    """Counts of cleanlab 2.9.0: find_label_issues(labels, p, filter_by="confident_learning").sum()."""
    random = np.random.default_rng(seed)
    labels = random.integers(n_classes, size=120)
    logits = random.normal(size=(120, n_classes))
    logits[np.arange(120), labels] += 1.8
    odds = np.exp(logits)
    found = label_errors(odds / odds.sum(axis=1, keepdims=True), labels)
    assert found.noise.share == 0.0
    assert len(found.rows) == n_off_diagonal


def test_each_of_several_labels_is_a_question() -> None:
    random = np.random.default_rng(0)
    truth = (random.random((300, 3)) < 0.4).astype(np.float32)
    outputs = np.clip(np.abs(truth - 0.1 * random.random((300, 3))), 0.01, 0.99)
    outputs[[7, 9]] = np.where(truth[[7, 9]] == 1, 0.98, 0.02)
    given_NC = truth.copy()
    given_NC[7, 1] = 1 - given_NC[7, 1]
    given_NC[9] = 1 - given_NC[9]
    found = label_errors(outputs, given_NC)
    assert sorted(found.rows.tolist()) == [7, 9]
    np.testing.assert_array_equal(found.suggested, truth[found.rows])
    asked = np.where(given_NC == 1, outputs, 1 - outputs)
    np.testing.assert_allclose(found.probability, asked[found.rows].min(axis=1))


def test_copies_say_no_more_than_the_item() -> None:
    outputs, truth = gaussian(3, 3.0, seed=1, n_items=150)
    labels, _ = flipped(truth, 3, 0.05)
    once = label_noise(outputs, labels)
    copies = np.repeat(np.arange(150), 4)
    again = label_noise(outputs[copies], labels[copies], copies)
    assert again.p_value == pytest.approx(once.p_value, rel=1e-2)
    assert label_noise(outputs[copies], labels[copies]).p_value < once.p_value / 100


def test_no_item_and_no_contradiction_give_an_empty_list() -> None:
    assert len(label_errors(np.zeros((0, 3), np.float32), np.zeros(0, np.int64)).rows) == 0
    certain = label_errors(np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 2, 0]))
    assert len(certain.rows) == 0 and certain.noise.share == 0.0
