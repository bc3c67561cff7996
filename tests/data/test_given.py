"""What users and scikit-learn pass to an estimator is read, or refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headstart.data.given import classes_and_codes, items_of, require_modality
from headstart.errors import DataError

TEXTS = ["one", "two", "three"]
PICTURES = np.zeros((3, 8, 8), np.uint8)


@pytest.mark.parametrize(
    "given",
    [
        TEXTS,
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        pd.Series(TEXTS, index=[7, 8, 9]),
        pd.DataFrame({"text": TEXTS}),
    ],
)
def test_texts_of_any_container(given: Any) -> None:
    assert items_of(given) == TEXTS


def test_pictures_are_passed_on() -> None:
    assert items_of(PICTURES) is PICTURES
    np.testing.assert_array_equal(items_of(pd.Series(list(PICTURES), index=[5, 6, 7]))[0], PICTURES[0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            None,
            "must be a list of paths, texts, PIL images or recordings, or an array of pictures, got NoneType",
        ),
        (5, "got int"),
        ("photos", "got str"),
        (Path("photos"), "got PosixPath|got WindowsPath"),
        ({"a": 1}, "is a dictionary of a"),
        ({"a"}, "got set"),
        ((text for text in TEXTS), "got generator"),
        (np.array(5), "got ndarray"),
        (
            pd.DataFrame({"text": TEXTS, "label": TEXTS}),
            r"is a table of 2 columns: pass one, such as X\['text'\]",
        ),
        (["one", None], r"X\[1\] is missing"),
        (pd.Series(["one", np.nan]), r"X\[1\] is missing"),
    ],
)
def test_what_is_no_list_of_items(given: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        items_of(given)


def test_another_modality_is_named() -> None:
    with pytest.raises(DataError, match="X_target holds text, and X image"):
        require_modality(["some words"], "image", "X_target")
    with pytest.raises(DataError, match="X_target holds image, and X text"):
        require_modality(PICTURES, "text", "X_target")
    require_modality(PICTURES, "image", "X_target")
    require_modality(["a/b.png"], "image", "X_target")
    require_modality(["some words"], "text", "X_target")


@pytest.mark.parametrize(
    "given",
    [
        ["b", "a", "b"],
        np.array(["b", "a", "b"]),
        np.array([["b"], ["a"], ["b"]]),
        pd.Series(["b", "a", "b"], index=[4, 5, 6]),
        pd.Series(["b", "a", "b"], dtype="category"),
        pd.DataFrame({"label": ["b", "a", "b"]}),
    ],
)
def test_labels_of_any_container(given: Any) -> None:
    classes, codes = classes_and_codes(given)
    assert classes.tolist() == ["a", "b"] and codes.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "one label per item, got NoneType"),
        (3, "got int"),
        ("abc", "got str"),
        (np.array(3), "got shape"),
        (np.eye(3), r"got shape \(3, 3\)"),
        ([["a"], ["b", "c"]], "all of one type, got list"),
        ([["a", "b"], ["b", "c"]], r"got shape \(2, 2\)"),
        (np.array([0, "a"], dtype=object), "all of one type, got int, str"),
        (["a", None], r"y\[1\] is missing"),
        (["a", float("nan")], r"y\[1\] is missing"),
        (np.array([0.0, np.nan]), r"y\[1\] is missing"),
        (pd.Series(["a", pd.NA]), r"y\[1\] is missing"),
        (np.array(["2020-01-01", "NaT"], dtype="M8[D]"), r"y\[1\] is missing"),
    ],
)
def test_labels_that_are_not_one_per_item(given: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        classes_and_codes(given)
