"""The section on thresholds: only of two classes, for the rarer one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from headstart.metrics import Units
from headstart.report.items.report import HeldOut
from headstart.report.items.thresholds import thresholds_section
from headstart.report.pages.fit import FitReport


def two_classes(samples: dict[str, FitReport], n_second: int) -> FitReport:
    """200 items of the classes a and b, of which some number is b."""
    generator = np.random.default_rng(0)
    codes = np.zeros(200, dtype=np.int64)
    codes[:n_second] = 1
    p = np.clip(0.3 + 0.4 * codes + 0.2 * generator.normal(size=200), 0.001, 0.999)
    outputs = np.stack([1 - p, p], axis=1).astype(np.float32)
    items = [f"text {index}" for index in range(200)]
    held = HeldOut(
        items, items, ["b" if code else "a" for code in codes], codes, outputs, Units.of(None, 200)
    )
    report = samples["text"]
    return replace(report, facts=replace(report.facts, classes=("a", "b")), held_out=held)


def test_the_rarer_class_is_the_one_and_curves_begin_and_end_in_corners(
    samples: dict[str, FitReport],
) -> None:
    for n_second, told in (
        (60, "called “b” if"),
        (140, "called “a” if"),
    ):
        [section] = thresholds_section(two_classes(samples, n_second))
        assert told in section.deck
        content: Any = section.content
        assert len(content.table.rows) == 11 and len(content.curves) == 2
        half = next(dot for dot in content.curves[0].dots if dot.is_used)
        assert half.text.startswith("from 0.5: recall ")
        corners = [tuple(map(float, each.split(","))) for each in content.curves[0].line.split()]
        assert corners[0] == (0.0, 100.0) and corners[-1] == (100.0, 0.0)
    [section] = thresholds_section(two_classes(samples, 100))
    assert "is called “a” if its probability" in section.deck


def test_the_curve_passes_through_the_points_of_the_table(samples: dict[str, FitReport]) -> None:
    [section] = thresholds_section(two_classes(samples, 60))
    roc = section.content.curves[0]
    corners = [tuple(map(float, each.split(","))) for each in roc.line.split()]
    for dot in roc.dots:
        assert min(abs(x - dot.x) + abs(100 - y - dot.y) for x, y in corners) < 1.5


def test_items_without_units_count_one_by_one(samples: dict[str, FitReport]) -> None:
    report = two_classes(samples, 60)
    [known] = thresholds_section(report)
    [unknown] = thresholds_section(replace(report, held_out=replace(report.held_out, units=None)))
    assert known.content.table == unknown.content.table


def test_no_section_for_more_classes_or_one_class_of_items(samples: dict[str, FitReport]) -> None:
    assert len(samples["many"].facts.classes) > 2 and list(thresholds_section(samples["many"])) == []
    assert list(thresholds_section(two_classes(samples, 0))) == []
