"""Numbers in plain words."""

from __future__ import annotations

import pytest

from headstart.metrics import Interval
from headstart.report.words import byte_size, difference, duration, interval, number, points, share


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.82, "0.8 s"), (9.96, "10 s"), (59.6, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_small_words() -> None:
    assert byte_size(912_000_000) == "912 MB" and byte_size(1.84e9) == "1.8 GB"
    assert (
        points(0.024) == "+2.4 points" and points(-0.0001) == "0.0 points" and points(-0.01) == "−1.0 point"
    )
    assert [share(value) for value in (None, 0.001, 0.5, 0.999, 1.0)] == ["", "<1%", "50%", ">99%", "100%"]


def test_scores_in_the_form_of_their_metric() -> None:
    score = Interval(0.955, 0.934, 0.972)
    assert (number(score.value), interval(score)) == ("95.5%", "93.4 to 97.2%")
    assert (number(score.value, "auroc"), interval(score, "auroc")) == ("0.955", "0.934 to 0.972")
    assert number(None) == "n/a" and interval(Interval(0.5)) == ""
    assert difference(Interval(0.1, -0.017, 0.192), "accuracy") == "−1.7 to +19.2"
    assert difference(Interval(0.05, -0.00039, 0.1), "accuracy") == "−0.04 to +10.0"
    assert difference(Interval(0.05, 0.0, 0.1), "accuracy") == "0.0 to +10.0"


def test_values_of_any_size_are_short() -> None:
    found = Interval(3.65e38, 2.17e38, 6.1256e38)
    assert (number(found.value, "rmse"), interval(found, "rmse")) == ("3.65e+38", "2.17e+38 to 6.13e+38")
    assert (
        str(Interval(0.00012)) == "0.00012"
        and number(0.0, "rmse") == "0.000"
        and number(12.5, "mae") == "12.500"
    )
    assert points(-2e-21, "rmse") == "−2e−21" and points(0.0, "rmse") == "0.000"
