"""Splits and folds: cover, keep groups together, stay the same for a seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.examples import Examples, string_array
from headstart.data.splits import bound_groups, fold_indices, holdout_indices, with_splits
from headstart.errors import DataError

ITEMS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), min_size=2, max_size=60)


def arrays(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    labels = string_array(label for label, _ in pairs)
    groups = string_array(f"g{group}" for _, group in pairs)
    return labels, groups


@settings(deadline=None, max_examples=60)
@given(ITEMS, st.integers(2, 6), st.integers(0, 3), st.booleans())
def test_folds_cover_and_groups_never_straddle(
    pairs: list[tuple[int, int]], n_folds: int, seed: int, grouped: bool
) -> None:
    labels, groups = arrays(pairs)
    given_groups = groups if grouped else None
    try:
        folds = fold_indices(labels, given_groups, n_folds, seed)
    except DataError:
        return
    assert folds.shape == labels.shape
    assert 2 <= len(set(folds)) <= n_folds
    assert set(folds) == set(range(int(folds.max()) + 1))
    if grouped:
        for group in set(groups):
            assert len(set(folds[groups == group])) == 1
    np.testing.assert_array_equal(folds, fold_indices(labels, given_groups, n_folds, seed))


@settings(deadline=None, max_examples=60)
@given(ITEMS, st.floats(0.05, 0.5), st.integers(0, 3), st.booleans())
def test_holdout_covers_and_groups_never_straddle(
    pairs: list[tuple[int, int]], share: float, seed: int, grouped: bool
) -> None:
    labels, groups = arrays(pairs)
    try:
        train, held = holdout_indices(labels, groups if grouped else None, share, seed)
    except DataError:
        return
    assert sorted([*train, *held]) == list(range(len(labels)))
    assert len(train) and len(held)
    if grouped:
        assert not set(groups[train]) & set(groups[held])
    else:
        counts = {label: int((labels == label).sum()) for label in set(labels)}
        for label, count in counts.items():
            assert label in labels[train]
            assert (label in labels[held]) == (count > 1)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 8)), min_size=1, max_size=40))
def test_bound_groups_join_equal_items(pairs: list[tuple[int, int]]) -> None:
    groups = string_array(group for group, _ in pairs)
    keys = string_array("" if key == 0 else key for _, key in pairs)
    bound = bound_groups(groups, keys)
    assert bound is not None
    for i in range(len(pairs)):
        for j in range(i):
            if groups[i] == groups[j] or (keys[i] == keys[j] != ""):
                assert bound[i] == bound[j]


def test_bound_groups_without_repeats_change_nothing() -> None:
    assert bound_groups(None, string_array(["a", "b", "", ""])) is None
    assert bound_groups(None, None) is None


def test_a_given_split_is_kept() -> None:
    splits = string_array(["train", "train", "test"])
    examples = Examples("text", ["a", "b", "c"], string_array("abc"), string_array("xyx"), splits=splits)
    assert with_splits(examples) is examples


def test_a_drawn_split_is_stratified_and_said() -> None:
    labels = string_array(["a"] * 80 + ["b"] * 20)
    examples = Examples("text", [str(i) for i in range(100)], string_array(range(100)), labels)
    drawn = with_splits(examples, seed=3)
    assert drawn.splits is not None and drawn.labels is not None
    held = drawn.labels[drawn.splits == "test"]
    assert (held == "a").sum() == 16 and (held == "b").sum() == 4
    assert "20 of 100" in drawn.split_origin and "seed 3" in drawn.split_origin


def test_equal_items_stay_on_one_side() -> None:
    labels = string_array(["a", "b"] * 30)
    keys = string_array(i // 4 for i in range(60))
    examples = Examples("text", [str(i) for i in range(60)], string_array(range(60)), labels)
    drawn = with_splits(examples, keys=keys)
    assert drawn.splits is not None
    for key in set(keys):
        assert len(set(drawn.splits[keys == key])) == 1


def test_a_class_in_one_group_each_is_refused() -> None:
    labels = string_array(["03", "03", "08", "08"])
    with pytest.raises(DataError, match="each class lies in one group only"):
        fold_indices(labels, labels)
    with pytest.raises(DataError, match="all items belong together"):
        holdout_indices(labels, string_array(["x"] * 4))
    with pytest.raises(DataError, match="one item only"):
        holdout_indices(string_array("ab"), None)


def test_a_rare_class_leaves_the_number_of_folds_and_is_dealt_to_some() -> None:
    labels = string_array(["a"] * 20 + ["b"] * 3)
    folds = fold_indices(labels, None, 5)
    assert len(set(folds)) == 5
    assert len(set(folds[20:])) == 3
    assert len(set(fold_indices(string_array(["a"] * 20 + ["b"]), None, 5))) == 5


def test_fewer_folds_where_every_class_is_rare() -> None:
    assert len(set(fold_indices(string_array(["a"] * 3 + ["b"] * 2), None, 5))) == 3


def test_many_groups_are_quick_and_balanced() -> None:
    generator = np.random.default_rng(0)
    groups = generator.integers(0, 8000, 20_000)
    labels = generator.integers(0, 3, 20_000).astype(str)
    folds = fold_indices(labels, groups, 5)
    counts = np.bincount(folds)
    assert counts.min() > 3500 and counts.max() < 4500
    owner = {}
    for group, fold in zip(groups.tolist(), folds.tolist()):
        assert owner.setdefault(group, fold) == fold


def test_copies_are_not_called_a_group() -> None:
    """Nine pictures, all copies of one: no group was given, so the message must not speak of one alone."""
    labels, keys = string_array("aaaabbbbb"), string_array(["k"] * 9)
    examples = Examples("text", list(range(9)), string_array(range(9)), labels)
    with pytest.raises(
        DataError, match=r"together \(one group, or copies of one item\).*Give items that differ"
    ):
        with_splits(examples, keys=keys)
