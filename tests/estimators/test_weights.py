"""Weights of items and classes in the estimators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import small_data
from headstart import TransferClassifier, TransferRegressor
from headstart.errors import DataError, OptionError

PICTURES, NUMBERS = small_data.digits()
X, Y = PICTURES, np.where(np.arange(len(PICTURES)) % 5, "no", "yes")  # no picture shows which


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    given = {"source": small_data.LETTERS, "precision": "fp32", "threads": 1, "store": str(folder / "store")}
    return {**given, **more}


def test_weights_of_classes_and_of_items_say_the_same(tmp_path: Path) -> None:
    n_no, n_yes = (Y == "no").sum(), (Y == "yes").sum()
    plain = TransferClassifier(**settings(tmp_path)).fit(X, Y)
    balanced = TransferClassifier(**settings(tmp_path, class_weight="balanced")).fit(X, Y)
    named = TransferClassifier(**settings(tmp_path, class_weight={"yes": n_no / n_yes})).fit(X, Y)
    of_items = TransferClassifier(**settings(tmp_path)).fit(
        X, Y, sample_weight=pd.Series(np.where(Y == "yes", n_no / n_yes, 1.0))
    )
    probabilities = balanced.predict_proba(X)
    assert probabilities[:, 1].mean() > plain.predict_proba(X)[:, 1].mean() + 0.03
    for other in (named, of_items):
        np.testing.assert_allclose(other.predict_proba(X), probabilities, atol=1e-3)


def test_a_regressor_learns_from_heavy_items(tmp_path: Path) -> None:
    values = np.where(np.arange(len(PICTURES)) % 2, 10.0, 0.0)  # no picture shows it
    heavy = TransferRegressor(**settings(tmp_path)).fit(PICTURES, values, sample_weight=1 + 50 * (values > 5))
    assert heavy.predict(PICTURES).mean() > 8
    assert 4 < TransferRegressor(**settings(tmp_path)).fit(PICTURES, values).predict(PICTURES).mean() < 6
    with pytest.raises(OptionError, match="the target is a quantity"):
        TransferRegressor(**settings(tmp_path, class_weight="balanced")).fit(PICTURES, values)


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        ([1.0] * 3, r"must have shape \(\d+,\), one number per item, got \(3,\)"),
        (np.where(np.arange(len(X)) == 2, -1.0, 1.0), "the weight of item 2 must be"),
        (np.where(np.arange(len(X)) == 1, np.nan, 1.0), "the weight of item 1 must be"),
        (np.zeros(len(X)), "all weights are 0"),
        (["heavy"] * len(X), "must hold one number per item"),
        (np.where(Y == "yes", 0.0, 1.0), "has weight 0, so it cannot be learned"),
    ],
)
def test_what_is_no_weight_is_refused(weights: Any, what: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=what):
        TransferClassifier(**settings(tmp_path)).fit(X, Y, sample_weight=weights)


def test_a_class_that_y_does_not_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"names 'maybe', which is no class of y\. Classes: 'no', 'yes'"):
        TransferClassifier(**settings(tmp_path, class_weight={"maybe": 2})).fit(X, Y)
