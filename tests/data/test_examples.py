"""`Examples`: order of classes, taking parts, making them from lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headstart.data as data
from headstart.data.examples import Examples, string_array
from headstart.data.items import ItemView
from headstart.errors import DataError
from headstart.tasks import CLASSIFICATION, MULTILABEL


def test_take_by_positions_and_mask() -> None:
    examples = Examples(
        "text", ["a", "b", "c"], string_array("123"), string_array("xyx"), columns={"n": string_array("789")}
    )
    part = examples.take([2, 0])
    assert list(part.items) == ["c", "a"] and part.columns["n"].tolist() == ["9", "7"]
    assert list(examples.take(np.array([False, True, False])).items) == ["b"]
    assert len(part) == 2 and part.classes == ("x",)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["", "-", "a", "b", "a|b", "a|c"]), min_size=1), st.booleans())
def test_codes_and_strata_are_those_of_the_labelled_items(labels: list[str], several: bool) -> None:
    task = MULTILABEL if several else CLASSIFICATION
    examples = Examples.from_lists(["so"] * len(labels), labels, modality="text", task=task)
    known = np.array([label != "" for label in labels])
    np.testing.assert_array_equal(examples.labelled, known)
    own = examples.take(known)
    assert examples.classes == own.classes and "" not in examples.classes
    assert examples.codes is not None and own.codes is not None and len(examples.codes) == len(labels)
    np.testing.assert_array_equal(examples.codes[known], own.codes)
    assert np.isnan(examples.codes[~known]).all() if several else (examples.codes[~known] == -1).all()
    assert examples.strata is not None and own.strata is not None
    np.testing.assert_array_equal(examples.strata[known], own.strata)
    assert (examples.strata[~known] == -1).all()


def test_from_lists_tells_the_modality() -> None:
    assert Examples.from_lists(["so", "la"], [1, 2]).modality == "text"
    assert Examples.from_lists(["so v1.2", "la"]).modality == "text"
    paths = Examples.from_lists(["a.jpg", "b.png"], ["x", "y"], groups=[1, 2])
    assert paths.modality == "image" and paths.items[0] == Path("a.jpg")
    assert Examples.from_lists([Path("a.wav")]).modality == "audio"
    arrays = Examples.from_lists(np.zeros((3, 4, 4), np.uint8), ["a", "b", "a"])
    assert arrays.modality == "image" and len(arrays) == 3
    with pytest.raises(DataError, match="no items"):
        Examples.from_lists([])
    with pytest.raises(DataError, match="cannot tell"):
        Examples.from_lists([Path("a.xyz")])
    with pytest.raises(DataError, match="must be a path"):
        Examples.from_lists([3])
    with pytest.raises(DataError, match="labels has 1 value for 2"):
        Examples.from_lists(["so", "la"], [1])


def test_views_fetch_one_item_at_a_time() -> None:
    view = ItemView([["a", "b"], ["c"]])
    assert [view[i] for i in range(3)] == ["a", "b", "c"]
    assert list(view[1:]) == ["b", "c"]
    assert view.take(np.array([2, 0]))[0] == "c"
    assert view[-1] == "c"
    with pytest.raises(IndexError):
        view[3]


def test_public_names() -> None:
    for name in data.__all__:
        assert getattr(data, name) is not None
    with pytest.raises(AttributeError):
        _ = data.nothing  # type: ignore[attr-defined]


@pytest.mark.parametrize("shape", [(224, 224, 3), (8, 8)])
def test_one_picture_is_one_item(shape: tuple[int, ...]) -> None:
    examples = Examples.from_lists(np.zeros(shape, np.uint8))
    assert len(examples) == 1 and np.shape(examples.items[0]) == shape
    assert len(Examples.from_lists(np.zeros((2, 224, 224), np.uint8))) == 2


def test_missing_labels_of_a_script_are_no_class() -> None:
    examples = Examples.from_lists(["one text", "two", "three"], ["a", None, float("nan")])
    assert examples.classes == ("a",) and examples.labelled.tolist() == [True, False, False]
