"""Scores, comparisons and starting heads of labels and quantities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import r2_score

from headstart.tasks import MULTILABEL, REGRESSION, Task
from headstart.tune.objectives.validation import score
from headstart.tune.training.first_head import fit_first_head, serves, widened


def case(task: Task, n_items: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_items, 6)).astype(np.float32)
    if task == REGRESSION:
        return x, (1e3 + 40 * x[:, :1] + 5 * rng.normal(size=(n_items, 1))).astype(np.float32)
    return x, (x[:, :2] + 0.5 * rng.normal(size=(n_items, 2)) > [0, 1]).astype(np.float32)


def test_scores() -> None:
    _, y = case(REGRESSION)
    guess = (y + np.random.default_rng(1).normal(size=y.shape)).astype(np.float32)
    found = score(guess, y, REGRESSION)
    assert found.quality == pytest.approx(r2_score(y, guess), abs=1e-4) and found.temperature == 1
    assert found.loss == pytest.approx(float(np.square(guess - y).mean()), rel=1e-4)
    _, has = case(MULTILABEL)
    logits = 20 * (has - 0.4)
    assert score(logits, has, MULTILABEL).quality > 0.9
    assert score(logits, has, MULTILABEL).temperature == pytest.approx(
        score(3 * logits, has, MULTILABEL).temperature / 3, rel=1e-2
    )


@pytest.mark.parametrize("task", [MULTILABEL, REGRESSION])
def test_a_start_is_fitted_and_serves(task: Task) -> None:
    x, y = case(task)
    names = ("a", "b")[: y.shape[1]]
    for held in (None, (x[150:], y[150:])):
        head = fit_first_head(x[:150], y[:150], names, 3, None if held is None else (*held, None), task)
        assert score(head.logits(x[150:]), y[150:], task).quality > 0.3
        assert serves(head, last_stage=3, width=6, classes=names, task=task)
        assert not serves(head, last_stage=3, width=6, classes=names)
    wide = widened(head, 9, leading=False)
    assert wide.task == task and np.allclose(
        wide.logits(np.pad(x, ((0, 0), (3, 0)))), head.logits(x), atol=1e-3
    )


def test_a_training_sees_a_standardised_quantity() -> None:
    x, y = case(REGRESSION)
    scale = REGRESSION.scale_of(y)
    inside = scale.inward(y)
    assert abs(inside.mean()) < 1e-3 and inside.std() == pytest.approx(1, abs=1e-3)
    head = fit_first_head(x, y, ("price",), 0, None, REGRESSION)
    own = head.scoring(scale)
    assert np.allclose(scale.outward(own.logits(x)), head.logits(x), atol=1e-2)
    assert np.allclose(replace(own, unit=scale).logits(x), head.logits(x), atol=1e-2)
    plain = MULTILABEL.scale_of(y)
    assert plain.inward(y) is y and np.array_equal(head.scoring(plain).logits(x), head.logits(x))
