"""Paired differences and verdicts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as known

from headstart.evidence import judge
from headstart.metrics.differences import accuracy_difference
from headstart.tasks import MULTILABEL, REGRESSION


def of_accuracy(y: np.ndarray, share: float, seed: int) -> np.ndarray:
    right = np.random.default_rng(seed).permutation(len(y)) < share * len(y)
    return np.eye(2)[np.where(right, y, 1 - y)]


Y = np.arange(400) % 2


def test_verdicts() -> None:
    weak, strong = of_accuracy(Y, 0.6, 0), of_accuracy(Y, 0.9, 1)
    up = judge(Y, strong, weak, against="classical")
    assert (up.outcome, up.against) == ("positive", "classical")
    assert up.difference.value is not None and abs(up.difference.value - 0.3) < 1e-9
    assert judge(Y, weak, strong, against="classical").outcome == "negative"
    same = judge(Y, strong, of_accuracy(Y, 0.9, 3), against="classical")
    assert same.outcome == "undecided" and "cannot be told apart" in same.reason
    assert judge(Y, weak, strong, np.array(["g"] * 400, dtype=object), against="x").outcome == "undecided"


def test_what_both_get_wrong_does_not_widen_the_interval() -> None:
    first = of_accuracy(Y, 0.7, 0)
    second = first.copy()
    second[:4] = 1 - first[:4]
    paired = accuracy_difference(Y, first, second)
    assert paired.low is not None and paired.high is not None
    assert paired.high - paired.low < 0.03
    same = accuracy_difference(Y, first, first)
    assert same.value == 0 and 0 < same.high < 0.02


def test_verdicts_of_labels_and_of_a_quantity() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(200, 4))
    y = (scores + rng.normal(size=scores.shape) > np.linspace(0, 1.5, 4)).astype(np.float32)
    p = 1 / (1 + np.exp(np.linspace(0, 1, 4) - scores))
    plain = np.tile(y.mean(axis=0), (200, 1))
    told = judge(y, p, plain, against="majority", task=MULTILABEL)
    assert told.outcome == "positive" and told.metric == "log_loss" and told.difference.high < 0
    assert judge(y, plain, p, against="classical", task=MULTILABEL).outcome == "negative"
    values = np.linspace(0, 9, 90)[:, None]
    mean = np.full((90, 1), 4.5)
    told = judge(values, values + 0.5, mean, against="majority", task=REGRESSION)
    assert told.outcome == "positive" and told.metric == "rmse" and "rmse" in told.reason
    wanted = 0.5 - known.root_mean_squared_error(values, mean)
    assert told.difference.value == pytest.approx(wanted)
    assert REGRESSION.difference(values, mean, mean).value == 0
    assert judge(values, mean, mean, against="majority", task=REGRESSION).outcome == "undecided"


def test_a_few_items_give_no_verdict() -> None:
    for n_items in (3, 9):
        y = np.arange(n_items) % 2
        found = judge(y, np.eye(2)[y], np.eye(2)[1 - y], against="majority")
        assert found.outcome == "undecided" and found.difference.low is None
        assert "10 are needed" in found.reason
    y = np.arange(10) % 2
    assert judge(y, np.eye(2)[y], np.eye(2)[1 - y], against="majority").outcome == "positive"


def test_copies_of_items_decide_nothing() -> None:
    y = np.arange(20) % 2
    right = np.arange(20) >= 4
    mine, other = np.eye(2)[np.where(right, y, 1 - y)], np.eye(2)[y]
    rows = np.repeat(np.arange(20), 5)
    assert judge(y[rows], mine[rows], other[rows], against="classical").outcome == "negative"
    assert judge(y[rows], mine[rows], other[rows], rows, against="classical").outcome == "undecided"


def test_false_alarms_with_few_groups() -> None:
    rng = np.random.default_rng(0)
    for n_groups in (3, 5, 10):
        alarms = []
        for _ in range(300):
            y, units = np.zeros(20 * n_groups, dtype=int), np.arange(20 * n_groups) // 20
            right = rng.random((2, n_groups)).clip(0.3, 0.9)[:, units] > rng.random((2, len(y)))
            mine, other = (np.eye(2)[np.where(side, y, 1 - y)] for side in right)
            alarms.append(judge(y, mine, other, units, against="classical").outcome != "undecided")
        assert np.mean(alarms) < 0.08, n_groups  # resampling whole groups gave 0.15 to 0.40
