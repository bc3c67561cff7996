"""Circular validation: the way back, its classes, and items that can be paired."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies
from hypothesis.extra import numpy as arrays
from sklearn.metrics import balanced_accuracy_score

from headstart.adapt import Domains, LinearClassifier, Method
from headstart.adapt.selectors import CIRCULAR, Candidate, Comparison
from headstart.adapt.selectors.circular import balanced, reversed_domains


def blobs(seed: int = 0) -> Domains:
    rng = np.random.default_rng(seed)
    codes = np.repeat([0, 1, 2], [40, 20, 10])
    centres = 4 * np.eye(3)
    source, target = (centres[codes] + rng.normal(size=(70, 3)) for _ in range(2))
    return Domains(source, codes, target, 3)


def always(given: Domains, code: int) -> Candidate:
    bias = np.zeros(given.n_classes)
    bias[code] = 9
    return Comparison(given).candidate(Method(), LinearClassifier(np.zeros((given.n_classes, 3)), bias))


def test_one_predicted_class_is_worth_a_constant() -> None:
    for code in range(3):
        assert CIRCULAR.score(always(blobs(), code)) == pytest.approx(1 / 3)


def test_a_class_that_is_not_predicted_is_never_found_on_the_way_back() -> None:
    domains = blobs()
    classifier = LinearClassifier(np.eye(3), np.array([0.0, 0.0, -99.0]))
    candidate = Comparison(domains).candidate(Method(), classifier)
    back, classes = reversed_domains(domains, candidate.predicted_M)
    assert classes.tolist() == [0, 1] and back.n_classes == 2 and set(back.codes_N) == {0, 1}
    assert 0.6 < CIRCULAR.score(candidate) < 2 / 3 + 1e-9


def test_exchanged_predictions_are_punished() -> None:
    domains = blobs()
    comparison = Comparison(domains)
    good = comparison.candidate(Method())
    swapped = LinearClassifier(good.classifier.weight[[1, 0, 2]], good.classifier.bias[[1, 0, 2]])
    assert CIRCULAR.score(good) > 0.9 > 0.4 > CIRCULAR.score(comparison.candidate(Method(), swapped))


def test_known_shares_are_given_on_the_way_back() -> None:
    domains = replace(blobs(), shares_C=np.array([0.1, 0.1, 0.8]))
    back, _ = reversed_domains(domains, np.array([0, 2] * 35))
    assert back.shares_C is not None
    np.testing.assert_allclose(back.shares_C, [0.8, 0.2])
    assert reversed_domains(blobs(), np.zeros(70, dtype=int))[0].shares_C is None


@given(
    arrays.arrays(np.int64, strategies.integers(1, 40), elements=strategies.integers(0, 4)),
    strategies.integers(0, 99),
)
def test_the_mean_of_the_items_is_balanced_accuracy(codes: np.ndarray, seed: int) -> None:
    found = np.random.default_rng(seed).choice(codes, len(codes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a single class
        expected = balanced_accuracy_score(codes, found)
    assert balanced(found == codes, codes).mean() == pytest.approx(expected)
