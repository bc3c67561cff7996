"""The widening of intervals of a cross-validation."""

from __future__ import annotations

import math

import pytest

from headstart.evidence import cross_validation_factor


@pytest.mark.parametrize("n_folds", [2, 3, 5, 10])
def test_the_factor_lies_between_none_and_that_of_nadeau_and_bengio(n_folds: int) -> None:
    assert 1.2 < cross_validation_factor(n_folds) < math.sqrt(1 + n_folds / (n_folds - 1))


def test_one_held_out_part_is_not_widened() -> None:
    assert cross_validation_factor(0) == 1
