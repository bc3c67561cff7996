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
    up = judge(Y, strong, {"majority": of_accuracy(Y, 0.5, 2), "classical": weak})
    assert (up.outcome, up.against) == ("positive", "classical")
    assert up.difference.value is not None and abs(up.difference.value - 0.3) < 1e-9
    assert judge(Y, weak, {"classical": strong}).outcome == "negative"
    same = judge(Y, strong, {"classical": of_accuracy(Y, 0.9, 3)})
    assert same.outcome == "undecided" and "too close" in same.reason
    assert judge(Y, weak, {}).outcome == "undecided"
    assert judge(Y, weak, {"x": strong}, np.array(["g"] * 400, dtype=object)).outcome == "undecided"


def test_what_both_get_wrong_does_not_widen_the_interval() -> None:
    first = of_accuracy(Y, 0.7, 0)
    second = first.copy()
    second[:4] = 1 - first[:4]
    paired = accuracy_difference(Y, first, second)
    assert paired.low is not None and paired.high is not None
    assert paired.high - paired.low < 0.03
    assert accuracy_difference(Y, first, first).high == 0


def test_verdicts_of_labels_and_of_a_quantity() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(200, 4))
    y = (scores + rng.normal(size=scores.shape) > np.linspace(0, 1.5, 4)).astype(np.float32)
    p = 1 / (1 + np.exp(np.linspace(0, 1, 4) - scores))
    plain = np.tile(y.mean(axis=0), (200, 1))
    told = judge(y, p, {"majority": plain}, task=MULTILABEL)
    assert told.outcome == "positive" and told.metric == "log_loss" and told.difference.high < 0
    assert judge(y, plain, {"classical": p}, task=MULTILABEL).outcome == "negative"
    values = np.linspace(0, 9, 90)[:, None]
    mean = np.full((90, 1), 4.5)
    told = judge(values, values + 0.5, {"majority": mean}, task=REGRESSION)
    assert told.outcome == "positive" and told.metric == "rmse" and "rmse" in told.reason
    wanted = 0.5 - known.root_mean_squared_error(values, mean)
    assert told.difference.value == pytest.approx(wanted)
    assert REGRESSION.difference(values, mean, mean).value == 0
    assert judge(values, mean, {"majority": mean}, task=REGRESSION).outcome == "undecided"
