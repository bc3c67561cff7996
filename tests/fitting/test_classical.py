"""The classical baseline of a data set: features and fits are made once; held-out items take no part in a fit."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.data import DataSet, Examples
from headstart.data.examples import string_array
from headstart.evidence import classical_features, extract_classical, fit_classical
from headstart.fitting.classical import Classical


def pictures(n_items: int) -> DataSet:
    rng = np.random.default_rng(0)
    items = [rng.integers(0, 120, (24, 24, 3)).astype(np.uint8) for _ in range(n_items)]
    for index in range(0, n_items, 2):
        items[index][..., 0] += 90
    names = string_array(f"picture {k}" for k in range(n_items))
    labels = string_array(["red" if k % 2 == 0 else "plain" for k in range(n_items)])
    return DataSet.of(Examples("image", items, names, labels), threads=1)


def test_the_same_as_fitting_directly_and_each_picture_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    data, read = pictures(40), []
    describe = classical_features.describe_image
    monkeypatch.setattr(classical_features, "describe_image", lambda item: read.append(1) or describe(item))
    classical, train, test = Classical(data, 1, 0), np.arange(28)[::-1], np.arange(28, 40)
    fitted = classical.fit(train)
    assert len(read) == 28, "held-out items are not read for a fit"
    outputs = classical.outputs(fitted, test)
    assert len(read) == 40
    assert classical.fit(train) is fitted and classical.fit(np.arange(20)) is not fitted
    first, second = np.arange(28) % 4, np.arange(28) // 7
    given = classical.fit(train, first)
    np.testing.assert_array_equal(given.model.out_of_fold.folds, first)
    np.testing.assert_array_equal(classical.fit(train, second).model.out_of_fold.folds, second)
    assert classical.fit(train, first) is given and classical.fit(train) is fitted
    classical.outputs(fitted, np.arange(40))
    assert len(read) == 40
    monkeypatch.undo()
    features = extract_classical(data.examples.items, "image", threads=1)
    model = fit_classical(features, train, np.asarray(data.labels)[train], None, classes=data.classes)
    np.testing.assert_array_equal(outputs, model.probabilities(features, test))
    np.testing.assert_array_equal(fitted.left_out, train)


def test_texts_of_which_more_are_asked_for_later() -> None:
    texts = [f"{'good' if k % 2 else 'bad'} thing {k}" for k in range(30)]
    labels = string_array(["good" if k % 2 else "bad" for k in range(30)])
    data = DataSet.of(Examples("text", texts, string_array(map(str, range(30))), labels), threads=1)
    classical = Classical(data, 1, 0)
    fitted = classical.fit(np.arange(20))
    assert (classical.outputs(fitted, np.array([29, 3, 24])).argmax(axis=1) == [1, 1, 0]).all()
