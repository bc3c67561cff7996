"""The default ordering: mean ranks, ties, and scores that are missing."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.choose.scores import SCORES
from headstart.choose.scores.combined import DEFAULT, combined


def test_the_mean_of_ranks() -> None:
    scores = {"logme": [1.0, 2.0, 3.0], "parc": [0.3, 0.2, 0.1], "gbc": [-9.0, -8.0, -1.0]}
    assert combined(scores, ("logme", "gbc")).tolist() == [0.0, 0.5, 1.0]
    assert combined(scores, ("logme", "parc")).tolist() == [0.5, 0.5, 0.5]


def test_ties_share_a_rank() -> None:
    assert combined({"logme": [2.0, 2.0, 1.0]}, ("logme",)).tolist() == [0.75, 0.75, 0.0]


def test_only_the_order_counts() -> None:
    values = np.random.default_rng(0).normal(size=7)
    scores = dict.fromkeys(DEFAULT, values)
    stretched = {name: np.exp(3 * values) for name in DEFAULT}
    assert combined(scores).tolist() == combined(stretched).tolist()
    assert combined(scores).argsort().tolist() == values.argsort().tolist()


def test_scores_that_are_missing_are_passed_over() -> None:
    scores = {"logme": [1.0, 2.0], "unknown": [2.0, 1.0]}
    assert combined(scores).tolist() == [0.0, 1.0]
    with pytest.raises(ValueError, match="none of the scores"):
        combined({"unknown": [1.0]})


def test_one_source() -> None:
    assert combined({"parc": [0.3]}, ("parc",)).tolist() == [0.0]


def test_the_default_is_in_the_catalogue() -> None:
    assert set(DEFAULT) <= set(SCORES)
