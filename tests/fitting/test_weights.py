"""How much items count in learning, from the options and from a column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from headstart.data import DataSet, Examples
from headstart.data.examples import string_array
from headstart.errors import DataError, OptionError
from headstart.fitting.options import fit_options
from headstart.fitting.shared_options import flags_of
from headstart.fitting.weights import check_weights, weights_of
from headstart.tasks import MULTILABEL, REGRESSION

LABELS = ["a"] * 12 + ["b"] * 6 + ["c"] * 2


def examples(weights: np.ndarray | None = None, labels: list[str] = LABELS, **more: Any) -> Examples:
    texts = [f"text number {row} {label}" for row, label in enumerate(labels)]
    names = string_array(f"row {row + 1}" for row in range(len(labels)))
    return Examples("text", texts, names, string_array(labels), weights=weights, weight="w", **more)


def data(weights: np.ndarray | None = None) -> DataSet:
    return DataSet.of(examples(weights), split=False, threads=1)


def options(**given: Any) -> Any:
    return fit_options(data="texts.csv", **given)


def test_balanced_classes_weigh_as_in_scikit_learn() -> None:
    found = weights_of(options(class_weight="balanced"), data())
    assert found is not None and found.are_balanced
    everything = np.arange(20)
    np.testing.assert_allclose(found.of(everything), compute_sample_weight("balanced", LABELS))
    some = np.array([0, 1, 2, 13, 19])
    np.testing.assert_allclose(found.of(some), compute_sample_weight("balanced", [LABELS[k] for k in some]))
    assert found.to_json(everything) == {
        "balanced": True,
        "class_weight": "balanced",
        "classes": {"a": 20 / 36, "b": 20 / 18, "c": 20 / 6},
    }
    assert "a 0.556, b 1.11, c 3.33" in found.finding(everything).message


def test_given_classes_weigh_and_others_count_one() -> None:
    found = weights_of(options(class_weight={"c": 3}), data())
    assert found is not None and not found.are_balanced
    wanted = np.where(np.array(LABELS) == "c", 3.0, 1.0)
    np.testing.assert_allclose(found.of(np.arange(20)), wanted / wanted.mean())


def test_items_and_classes_are_multiplied_and_whole_weights_are_repeated_items() -> None:
    counts = np.random.default_rng(0).integers(1, 4, 20).astype(float)
    found = weights_of(options(class_weight="balanced"), data(counts))
    assert found is not None and not found.are_balanced
    repeated = compute_sample_weight("balanced", np.repeat(LABELS, counts.astype(int)))
    first = np.cumsum(counts).astype(int) - 1
    wanted = counts * repeated[first]
    np.testing.assert_allclose(found.of(np.arange(20)), wanted / wanted.mean())
    assert found.to_json(np.arange(20))["column"] == "w"
    assert weights_of(options(), data()) is None


def test_items_of_which_none_has_a_weight_count_the_same() -> None:
    weights = np.where(np.arange(20) < 3, 0.0, 1.0)
    found = weights_of(options(), data(weights))
    assert found is not None and found.of(np.arange(3)) is None
    np.testing.assert_allclose(found.of(np.arange(4)), [0, 0, 0, 4])


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("even", "must be balanced"),
        ({}, "must be balanced"),
        ({"a": -1}, "the weight of class 'a' is -1"),
        ({"a": float("nan")}, "the weight of class 'a' is nan"),
        ({"a": 0}, "the weight of class 'a' is 0"),
        ("a=0,b=0", "the weight of class 'a' is '0'"),
        ("a=x", "the weight of class 'a' is 'x'"),
        (3, "must be balanced"),
    ],
)
def test_class_weights_that_are_none(given: Any, what: str) -> None:
    with pytest.raises(OptionError, match="option class_weight: ") as error:
        options(class_weight=given)
    assert what in str(error.value) and "Value error" not in str(error.value)


def test_the_text_of_a_command_says_the_same_as_a_dictionary() -> None:
    found = options(class_weight="no entry=1.5, x=y=2,c=3")
    assert found.class_weight == {"no entry": 1.5, "x=y": 2.0, "c": 3.0}
    words = flags_of(found, ["class_weight"])
    assert words == ["--class-weight", "no entry=1.5,x=y=2,c=3"]
    assert options(class_weight=words[1]).class_weight == found.class_weight
    assert options(class_weight={False: 2}).class_weight == {"false": 2.0}


def test_what_does_not_fit_the_labels_is_refused() -> None:
    with pytest.raises(OptionError, match=r"names 'cc', which is no class of the data\. Did you mean 'c'"):
        check_weights(options(class_weight={"cc": 2}), examples())
    quantity = examples(labels=[str(k) for k in range(20)], task=REGRESSION)
    with pytest.raises(OptionError, match="the target is a quantity"):
        check_weights(options(class_weight="balanced"), quantity)
    with pytest.raises(OptionError, match="may have several labels"):
        check_weights(options(class_weight="balanced"), examples(task=MULTILABEL))
    assert check_weights(options(), examples(np.ones(20))) and not check_weights(options(), examples())


def test_a_class_without_any_weight_is_refused() -> None:
    with pytest.raises(DataError, match="Every training item of class 'c' has weight 0"):
        weights_of(options(), data(np.where(np.array(LABELS) == "c", 0.0, 1.0)))
