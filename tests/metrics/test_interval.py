"""One form for every score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.metrics import Interval

NUMBERS = st.floats(-1e6, 1e6)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_any_form_is_read(value: float, low: float, high: float) -> None:
    score = Interval(value, low, high)
    assert Interval.of(score) == score
    assert Interval.of(score.to_json()) == score
    assert Interval.of(value) == Interval(value)
    assert float(score) == value


@pytest.mark.parametrize("found", [None, math.nan, {"value": None}, {"value": math.inf}, {}, Interval(None)])
def test_what_is_not_a_number_is_not_defined(found: object) -> None:
    score = Interval.of(found)
    assert score == Interval(None) and str(score) == "not defined"
    assert math.isnan(float(score))


def test_words() -> None:
    assert str(Interval(0.5)) == "0.500"
    assert str(Interval.of({"value": np.float32(0.5), "low": 0.25, "high": 0.75})) == "0.500 (0.250 to 0.750)"
