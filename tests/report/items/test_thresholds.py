"""The section on thresholds: only of two classes, for the rarer one, with curves that agree with scikit-learn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from headstart.metrics import Units
from headstart.report.items.report import HeldOut
from headstart.report.items.thresholds import thresholds_section
from headstart.report.pages.fit import FitReport
from headstart.runs import SplitPart


def two_classes(samples: dict[str, FitReport], counts: dict[str, int]) -> FitReport:
    generator = np.random.default_rng(0)
    codes = (generator.random(200) < 0.3).astype(np.int64)
    p = np.clip(0.3 + 0.4 * codes + 0.2 * generator.normal(size=200), 0.001, 0.999)
    outputs = np.stack([1 - p, p], axis=1).astype(np.float32)
    items = [f"text {index}" for index in range(200)]
    held = HeldOut(
        items, items, ["b" if code else "a" for code in codes], codes, outputs, Units.of(None, 200)
    )
    report = samples["text"]
    parts = (SplitPart("train", 50, counts=counts),)
    return replace(report, facts=replace(report.facts, classes=("a", "b"), parts=parts), held_out=held)


def test_the_rarer_class_of_training_is_the_one(samples: dict[str, FitReport]) -> None:
    for counts, name in (({"a": 40, "b": 10}, "“b”"), ({"a": 10, "b": 40}, "“a”")):
        [section] = thresholds_section(two_classes(samples, counts))
        assert f"is called {name}, the rarer class" in section.deck
        content: Any = section.content
        assert len(content.table.rows) == 11 and len(content.curves) == 2
        half = next(dot for dot in content.curves[0].dots if dot.is_half)
        assert half.text.startswith("from 0.5: recall ")
        corners = [tuple(map(float, each.split(","))) for each in content.curves[0].line.split()]
        assert corners[0] == (0.0, 100.0) and corners[-1] == (100.0, 0.0)


def test_no_section_for_more_classes_or_one_class_of_items(samples: dict[str, FitReport]) -> None:
    assert list(thresholds_section(samples["image"])) == [] or len(samples["image"].facts.classes) == 2
    report = two_classes(samples, {"a": 40, "b": 10})
    one = replace(report, held_out=replace(report.held_out, codes=np.zeros(200, np.int64)))
    assert list(thresholds_section(one)) == []
