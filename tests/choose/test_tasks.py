"""The choice of a head for several labels per item and for a quantity."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

import headstart.choose.head as head_module
from headstart.choose import ArrayFeatures, choose_head
from headstart.choose.features import Rows, stacked
from headstart.errors import DataError
from headstart.tasks import MULTILABEL, REGRESSION, Targets


def case(n_items: int = 300, seed: int = 0) -> tuple[ArrayFeatures, np.ndarray]:
    """Two stages, of which the first knows three factors and the last next to nothing; and the factors."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_items, 3))
    mix = rng.normal(size=(3, 10))
    known = factors @ mix + 0.3 * rng.normal(size=(n_items, 10))
    unknown = rng.normal(size=(n_items, 10)) + 0.05 * known
    return ArrayFeatures(("inner", "last"), (known.astype(np.float32), unknown.astype(np.float32))), factors


def labels_of(factors: np.ndarray) -> np.ndarray:
    has = (factors > [0.0, 0.8, 1.4]).astype(np.float32)
    return Targets(MULTILABEL, ("often", "rarely", "seldom")).decode(has)


def test_labels_are_read_at_the_depth_that_knows_them() -> None:
    features, factors = case()
    labels = labels_of(factors)
    names = ("often", "rarely", "seldom")
    choice = choose_head(Rows(features, np.arange(200)), labels[:200], task=MULTILABEL, classes=names)
    assert "inner" in choice.stages and choice.head.task is MULTILABEL and choice.head.classes == names
    assert choice.profile[0].score > 0.4 > choice.profile[1].score
    assert choice.out_of_fold.shape == (200, 3) and choice.out_of_fold.min() >= 0
    fresh = Rows(features, np.arange(200, 300))
    predicted = choice.head.predict(stacked(fresh, choice.head.stages))
    assert (predicted == labels[200:]).mean() > 0.7
    assert choose_head(features, labels, task=MULTILABEL).classes == names


def test_a_quantity_is_ridge_in_its_own_unit() -> None:
    features, factors = case()
    values = 1e4 + 500 * factors[:, 0]
    labels = np.array([f"{value:.2f}" for value in values], dtype=object)
    choice = choose_head(Rows(features, np.arange(200)), labels[:200], task=REGRESSION, classes=("price",))
    assert choice.chosen.kind == "ridge" and choice.head.temperature == 1 and choice.classes == ("price",)
    inner = choice.profile[0]
    assert inner.low < inner.score < inner.high <= 1 and inner.score > 0.9
    found = choice.head.predict(stacked(Rows(features, np.arange(200, 300)), choice.head.stages))
    own = Ridge(1.0).fit(features.arrays[0][:200], values[:200]).predict(features.arrays[0][200:])
    assert r2_score(values[200:], found) > r2_score(values[200:], own) - 0.02
    assert abs(choice.out_of_fold[:, 0].mean() - 1e4) < 100


@pytest.mark.parametrize("task", [MULTILABEL, REGRESSION])
def test_many_items_are_streamed_to_the_same_head(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    features, factors = case(600)
    labels = labels_of(factors) if task == MULTILABEL else factors[:, 0].round(3).astype(str).astype(object)
    whole = choose_head(features, labels, task=task)
    monkeypatch.setattr(head_module, "MAX_ITEMS", 400)
    parts = choose_head(features, labels, task=task)
    assert len(parts.positions) <= 400
    x = stacked(features, whole.head.stages)
    if parts.head.stages == whole.head.stages:
        assert np.corrcoef(parts.head.outputs(x).ravel(), whole.head.outputs(x).ravel())[0, 1] > 0.97


def test_what_cannot_be_learned() -> None:
    features, _ = case(20)
    with pytest.raises(DataError, match="value '1'"):
        choose_head(features, np.array(["1"] * 20, dtype=object), task=REGRESSION)
    with pytest.raises(DataError, match="set of labels"):
        choose_head(features, np.array(["a|b"] * 20, dtype=object), task=MULTILABEL)
