"""Error rates of verification on trials that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.heads.verification import Trials, all_trials, cosine_scores, eer, min_dcf


def test_perfect_inverted_and_constant_scores() -> None:
    target = np.array([True, True, False, False])
    assert eer(np.array([3.0, 2.0, 1.0, 0.0]), target) == 0
    assert min_dcf(np.array([3.0, 2.0, 1.0, 0.0]), target) == 0
    assert eer(np.array([0.0, 1.0, 2.0, 3.0]), target) == 1
    assert eer(np.zeros(4), target) == 0.5
    assert min_dcf(np.zeros(4), target) == pytest.approx(1)


def test_ties_are_one_operating_point() -> None:
    scores, target = np.array([1.0, 1.0, 0.0, 0.0]), np.array([True, False, True, False])
    assert eer(scores, target) == 0.5
    assert eer(scores[::-1], target[::-1]) == 0.5


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 999), n_trials=st.integers(4, 40), levels=st.integers(2, 20))
def test_min_dcf_is_the_least_over_thresholds(seed: int, n_trials: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    scores, target = rng.integers(0, levels, n_trials).astype(float), rng.random(n_trials) < 0.5
    target[:2] = [True, False]
    costs = [
        (0.05 * (scores[target] < t).mean() + 0.95 * (scores[~target] >= t).mean()) / 0.05
        for t in [*scores, np.inf]
    ]
    assert min_dcf(scores, target) == pytest.approx(min(costs))
    gaps = [((scores[target] < t).mean(), (scores[~target] >= t).mean()) for t in [*scores, np.inf]]
    assert max(min(gap) for gap in gaps) - 1e-9 <= eer(scores, target) <= min(max(gap) for gap in gaps) + 1e-9


def test_trials_leave_out_pairs_that_say_the_same() -> None:
    speakers = np.array(["a", "a", "b"], dtype=object)
    assert len(all_trials(speakers).first) == 3
    trials = all_trials(speakers, np.array(["x", "y", "x"], dtype=object))
    assert list(zip(trials.first, trials.second, trials.is_target)) == [(0, 1, True), (1, 2, False)]


def test_scores_are_centred_cosines() -> None:
    x = np.array([[2.0, 1.0], [1.0, 2.0], [1.0, 1.0]])
    trials = Trials(np.array([0, 0]), np.array([1, 2]), np.array([True, False]))
    assert np.allclose(cosine_scores(x, trials, np.ones(2)), [0, 0])
    assert cosine_scores(x, trials, np.zeros(2))[0] == pytest.approx(4 / 5)
