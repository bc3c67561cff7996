"""Marks stand inside their plots, on round ticks."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from headstart.metrics import Bin, Interval
from headstart.report.charts import (
    CostCandidate,
    Learned,
    Scale,
    believed,
    class_shares,
    clouds,
    costs,
    curves,
    depth,
    gaps,
    moves,
    nice_ticks,
    rate_curve,
    reliability,
    spans,
)
from headstart.report.charts.costs import log_ticks
from headstart.report.charts.learning import learning_curves, spread_out

shares = st.floats(0, 1)
numbers = st.floats(-1e6, 1e6).map(lambda v: round(v, 6))


@given(numbers, numbers)
def test_ticks_cover_the_values(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    ticks = nice_ticks(low, high)
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert ticks[0] <= low + slack and ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 12 and ticks == sorted(ticks)


@given(st.lists(shares, min_size=1, max_size=20))
def test_scale_keeps_marks_inside_and_in_order(values: list[float]) -> None:
    scale = Scale(values, bound=1.0)
    places = [scale.at(v) for v in sorted(values)]
    assert places == sorted(places) and all(0 <= p <= 100 for p in places)
    assert scale.high <= 1.0 + 1e-9 and all(math.isfinite(t.at) for t in scale.ticks)


def test_depth_marks_what_the_head_reads() -> None:
    drawn = depth((("a", Interval(0.5)), ("b", Interval(0.9, 0.8, 0.95))), ("b",), "accuracy")
    assert [dot.chosen for dot in drawn.dots] == [False, True]
    assert drawn.n_chosen == 1 and not drawn.dots[0].mark.has_interval


def test_no_history_draws_no_curves() -> None:
    assert curves([("score", "validation", [])], "accuracy") is None
    assert curves([("score", "validation", [(1, None)])], "accuracy") is None


def test_spans_follow_one_another() -> None:
    rows = spans([("scan", 1.0), ("nothing", 0.0), ("features", 3.0)])
    assert [(r.left, r.width) for r in rows] == [(0.0, 25.0), (25.0, 75.0)]


def test_the_rate_curve_marks_the_rate_taken_on_a_logarithmic_scale() -> None:
    drawn = rate_curve([1e-6, 1e-4, 1e-2], [1.0, 0.5, 9.0], 1e-4)
    assert drawn.taken == 50.0 and [tick.at for tick in drawn.rates] == [0, 25, 50, 75, 100]
    assert drawn.points.split()[-1].endswith(",0.00")  # beyond the picture is its upper edge


def test_bins_of_a_few_items_say_little() -> None:
    unknown = Interval(0.9, why="2 independent units, 3 are needed for an interval")
    few, many, none = reliability(
        [
            Bin(0.0, 0.4, 3, 0.4, Interval(1.0, 0.44, 1.0)),
            Bin(0.4, 0.9, 300, 0.9, Interval(0.9, 0.86, 0.93)),
            Bin(0.9, 1.0, 300, 0.9, unknown),
        ]
    )
    assert few.few and (few.right_low, few.right) == (44, 56)
    assert not many.few and (many.right_low, many.right) == (86, 7)
    assert none.few and none.interval == "" and none.right == 0


@given(st.floats(1e-4, 1e6), st.floats(1, 1e6))
def test_logarithmic_ticks_are_few_and_cover_the_costs(low: float, times: float) -> None:
    ticks = log_ticks(low, low * times)
    assert ticks[0] < low and ticks[-1] > low * times
    assert 2 <= len(ticks) <= 14 and ticks == sorted(set(ticks))
    assert {f"{tick:e}"[:3] for tick in ticks} <= {"1.0", "1.5", "2.0", "3.0", "4.0", "5.0", "6.0", "8.0"}


def test_costs_stand_on_a_logarithmic_scale_and_others_are_levels() -> None:
    def made(letter: str, cost: float | None, score: float) -> CostCandidate:
        return CostCandidate(letter, f"net {letter}", cost, Interval(score, score - 0.1, score + 0.1), "")

    chart = costs(
        [made("A", 1.0, 0.8), made("B", 10.0, 0.7), made("C", 100.0, 0.6), made("D", None, 0.5)],
        "accuracy",
        "ms",
    )
    assert chart is not None
    first, second, third = chart.dots
    assert abs((second.x - first.x) - (third.x - second.x)) < 0.01 and 0 < first.x < third.x < 100
    assert first.mark.at > second.mark.at > third.mark.at > chart.levels[0].at
    assert first.text == "net A: 80.0% (70.0 to 90.0%), 1 ms" and chart.levels[0].text == "net D, 50.0%"
    assert costs([made("D", None, 0.5)], "accuracy", "ms") is None


def test_differences_have_a_place_for_none() -> None:
    chart = gaps(
        [("net", "B", Interval(-0.05, -0.12, 0.02), "tied"), ("other", "C", Interval(-0.3), "")], "accuracy"
    )
    first, second = chart.rows
    assert first.mark.low < first.mark.at < chart.zero < first.mark.high and second.mark.at < first.mark.low
    assert (first.value, first.interval) == ("−5.0 points", "−12.0 to +2.0")
    assert (second.interval, second.mark.has_interval) == ("", False)
    assert next(tick.at for tick in chart.ticks if tick.text == "0") == chart.zero


places = st.lists(st.floats(0, 100), min_size=1, max_size=12)


@given(places)
def test_labels_are_spread_out_within_the_plot_in_their_order(found: list[float]) -> None:
    moved = spread_out(found, 6.5)
    order = sorted(range(len(found)), key=found.__getitem__)
    assert all(moved[b] - moved[a] >= 6.499 for a, b in pairwise(order))
    assert min(moved) >= 0 and max(moved) <= 100.001


def test_labels_that_have_room_stay_and_a_heap_is_centred() -> None:
    assert spread_out([80.0, 20.0], 6.5) == [80.0, 20.0]
    assert spread_out([50.0, 50.0, 50.0], 6.0) == [44.0, 50.0, 56.0]


def learned(*points: tuple[float, Interval], fitted: tuple[tuple[float, ...], ...] = ()) -> Learned:
    return Learned("A", "transfer", "transfer", "transfer", [(*p, "tip") for p in points], fitted)  # type: ignore[arg-type]


def test_learning_curves_stand_on_a_logarithmic_scale() -> None:
    score = Interval(0.5, 0.4, 0.6)
    chart = learning_curves(
        [learned((10, score), (100, score), fitted=((10, 0.5, 0.2, 0.55), (1000, 0.55, 0.1, 0.8)))],
        "accuracy",
    )
    assert chart is not None
    (line,) = chart.lines
    assert [dot.x for dot in line.dots] == [0, 50] and chart.beyond == 50
    assert [tick.text for tick in chart.labels] == ["10", "100", "1,000"]
    assert [tick.text for tick in chart.ticks] == ["40%", "45%", "50%", "55%", "60%"]  # a wide band is cut
    assert "100.00,0.00" in line.band and "100.00,100.00" in line.band


def test_a_method_that_was_not_measured_has_no_curve() -> None:
    assert learning_curves([learned()], "accuracy") is None
    assert learning_curves([learned((10, Interval(None)))], "accuracy") is None
    chart = learning_curves([learned((10, Interval(0.5))), learned()], "accuracy")
    assert (
        chart is not None and len(chart.lines) == 1 and chart.lines[0].dots[0].x == 50 and chart.beyond == 100
    )


def test_numbers_below_the_axis_do_not_touch() -> None:
    points = [(float(n), Interval(0.5)) for n in (100, 101, 102, 150, 1000)]
    chart = learning_curves([learned(*points)], "accuracy")
    assert chart is not None and [tick.text for tick in chart.labels] == ["102", "150", "1,000"]


points = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=30)


@given(points, points)
def test_clouds_stay_inside_of_a_square(
    first: list[tuple[float, float]], second: list[tuple[float, float]]
) -> None:
    drawn = clouds(np.array(first), np.array(second))
    places = [
        float(number)
        for number in re.findall(r"[\d.]+", re.sub(r"[hv][\d.]+", " ", drawn.dots + drawn.crosses))
    ]
    assert drawn.dots.count("M") == len(first) and drawn.crosses.count("M") == 2 * len(second)
    assert min(places) >= 0 and max(places) <= drawn.side
    assert "e" not in drawn.dots + drawn.crosses and "-" not in drawn.dots + drawn.crosses


def test_both_axes_of_a_cloud_have_one_scale() -> None:
    wide = np.repeat([[0.0, 0.0], [10.0, 0.0]], 50, axis=0)  # so that no point lies outside of the scale
    drawn = clouds(np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 1.0]]), wide)
    (x0, y0), (x1, _), (_, y2) = (
        map(float, place.split()) for place in re.findall(r"M(\S+ [\d.]+)h", drawn.dots)
    )
    assert (y0 - y2) * 10 == approx(x1 - x0, abs=1.5)  # up is up


def test_what_is_believed_beside_the_truth() -> None:
    rows = [("A", "", 1.0, Interval(0.5, 0.4, 0.6), "a"), ("B", "first", 3.0, Interval(0.7), "b")]
    chart = believed(rows, "accuracy")
    assert [dot.x for dot in chart.dots] == [8.0, 92.0] and chart.dots[0].mark.at < chart.dots[1].mark.at
    assert (chart.first, chart.last) == ("1", "3")
    assert [dot.x for dot in believed([rows[0], ("B", "", 1.0, Interval(0.7), "b")], "accuracy").dots] == [
        50.0,
        50.0,
    ]


@given(st.lists(st.tuples(shares, shares), min_size=1, max_size=20))
def test_moves_join_before_and_after(pairs: list[tuple[float, float]]) -> None:
    for row, (before, after) in zip(
        moves([("c", "", b, a, "", "") for b, a in pairs]).rows, pairs, strict=True
    ):
        assert row.left == min(row.before, row.after) and row.left + row.width <= 100.001
        assert row.kind == ("gain" if after > before else "loss" if after < before else "same")


def test_class_shares_have_one_scale_from_zero() -> None:
    rows = [("a", 0.5, Interval(0.2, 0.1, 0.3), 0.25, "", ""), ("b", 0.5, None, 0.4, "", "missing")]
    chart = class_shares(rows)
    first, second = chart.rows
    assert first.source == second.source == approx(100 * 0.5 / 0.6, abs=0.01)
    assert second.target is None and second.badge == "missing"
    assert (
        first.target is not None and first.target.low < first.target.at < first.predicted < first.target.high
    )
    assert chart.ticks[0].text == "0%" and chart.ticks[-1].text == "60%"
