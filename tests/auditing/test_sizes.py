"""Numbers of labels, and nested draws of training items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.auditing.sizes import drawn, nested_order, sizes_of
from headstart.errors import OptionError


def test_the_default_numbers_rise_in_equal_ratios_to_all() -> None:
    assert sizes_of(None, 244, 2) == (20, 37, 70, 130, 244)
    assert sizes_of(None, 12, 2) == (12,)
    assert sizes_of(None, 300, 100)[0] == 200


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((50, 500), "there are 244 training items"),
        ((2, 50), "below one item per class"),
        ((244, None), "smaller"),
    ],
)
def test_numbers_that_do_not_fit_the_data_are_refused(asked: tuple[int | None, ...], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        sizes_of(asked, 244, 3)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 25), st.booleans())
def test_draws_are_nested_whole_and_hold_every_class(
    seed: int, n_classes: int, n_each: int, grouped: bool
) -> None:
    rng = np.random.default_rng(seed)
    strata = np.repeat(np.arange(n_classes), n_each)
    units = rng.integers(0, max(2, len(strata) // 3), len(strata)) if grouped else None
    order, ends = nested_order(strata, units, seed)
    assert sorted(order) == list(range(len(strata))) and ends[-1] == len(strata)
    same = nested_order(strata, units, seed)[0]
    np.testing.assert_array_equal(order, same)
    before: set[int] = set()
    for size in range(n_classes, len(strata) + 1):
        found = drawn(order, ends, size)
        if found is None:
            assert grouped
            continue
        assert before <= set(found.tolist())
        before = set(found.tolist())
        if not grouped:
            assert len(found) == size and set(strata[found]) == set(range(n_classes))
            shares = np.bincount(strata[found], minlength=n_classes)
            assert shares.max() - shares.min() <= 2
        else:
            assert units is not None
            assert not set(units[found]) & set(np.delete(units, found))


def test_a_rare_class_is_in_the_smallest_draw() -> None:
    strata = np.array([0] * 500 + [1] * 2)
    for seed in range(20):
        found = drawn(*nested_order(strata, None, seed), 10)
        assert found is not None and 1 in strata[found]


def test_groups_that_are_too_large_for_a_number_give_no_draw() -> None:
    strata, units = np.tile([0, 1], 50), np.repeat([0, 1], 50)
    order, ends = nested_order(strata, units, 0)
    assert drawn(order, ends, 20) is None
    whole = drawn(order, ends, 55)
    assert whole is not None and len(whole) == 50 and len(set(units[whole])) == 1
