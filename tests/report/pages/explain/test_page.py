"""The page says what the test found, in words, and draws each item in its own form."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headstart.metrics import Interval
from headstart.report import end_block, render
from headstart.report.charts import falls
from headstart.report.pages.explain import ExplainReport, heat
from headstart.report.pages.explain.report import ExplainedItem, PictureView, SoundView, TextView
from headstart.runs import DataFacts, Record, RunFacts
from headstart.runs.explanation import DeletionFacts, ExplanationFacts

SECONDS = {"explain": 2.0, "imports": 1.0, "total": 2.0}


def report(view: Any, modality: str, task: str = "classification", **deletion: Any) -> ExplainReport:
    gain = Interval(0.2, 0.1, 0.3)
    tested = DeletionFacts(gain, "informative", (0.0, 0.5, 1.0), (0.9, 0.2, 0.1), (0.9, 0.6, 0.1), 5)
    facts = ExplanationFacts(
        "runs/a",
        "It is so.",
        "",
        4,
        replace(tested, **deletion),
        ("left out", "masked"),
        90,
        notes=("1 of 4 texts.",),
    )
    places, values = ("one", "<b>two</b>", "three"), np.array([0.3, -0.1, 0.2])
    item = ExplainedItem("row 1", view, "warm", 0.91, True, places, values, 1, 0.4, 0.85)
    record = Record(
        "explain",
        data=DataFacts("a.csv", "", modality, "label", {"test": 1}),
        task=task,
        n_test=1,
        seconds=SECONDS,
    )
    return ExplainReport(record, RunFacts("runs/b", "headstart explain runs/a a.csv"), facts, [item])


TEXT = TextView((("one", 0.3), (" ", None), ("<b>two</b>", -0.1), (" three", 0.2)))


def test_words_are_coloured_by_what_they_add() -> None:
    page = render(report(TEXT, "text"))
    assert '<mark class="raises" style="--s:1.0" data-tip="one: +0.300">one</mark>' in page
    assert '<mark class="lowers" style="--s:0.333"' in page and "&lt;b&gt;two&lt;/b&gt;" in page
    assert "<b>two" not in page
    assert "Without the 1 word named first: 40%; without as many random ones: 85%" in page


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("informative", "The explanations carry information"),
        ("none", "It is not shown that the explanations carry information"),
        ("misleading", "The explanations mislead"),
        ("", "Whether the explanations carry information is not known"),
    ],
)
def test_the_verdict_in_words(outcome: str, words: str) -> None:
    assert f"<strong>{words}.</strong>" in render(report(TEXT, "text", outcome=outcome))


def test_pictures_and_recordings_are_drawn() -> None:
    picture = np.full((24, 30, 3), 120, np.uint8)
    values = np.zeros((3, 3))
    values[0, 0], values[2, 2] = 1.0, -0.5
    pages = [
        render(report(PictureView(picture, values), "image")),
        render(report(SoundView(b"no sound", np.zeros((16, 20)), np.zeros((16, 20)), 0.5, 8_000.0), "audio")),
    ]
    for page in pages:
        drawn = [
            Image.open(io.BytesIO(b64decode(found))) for found in re.findall(r"jpeg;base64,([^\"]+)", page)
        ]
        assert len(drawn) == 2 and all(each.size[0] == heat.SIDE for each in drawn)
    assert "0 to 8 kHz" in pages[1] and "<audio" not in pages[1]  # what cannot be played has no player
    assert "no gain" not in pages[0]


def test_heat_is_orange_where_the_output_is_raised_and_blue_where_it_is_lowered() -> None:
    values = np.array([[1.0, 0.0], [0.0, -1.0]])
    uri = heat.overlaid(np.full((40, 40, 3), 128, np.uint8), values)
    drawn = np.asarray(Image.open(io.BytesIO(b64decode(uri.split(",")[1]))).convert("RGB")).astype(int)
    red, blue = drawn[20, 20], drawn[-20, -20]
    assert red[0] > red[2] + 80 and blue[2] > blue[0] + 80
    assert np.ptp(drawn[20, -20]) < 25  # nothing added: grey


def test_a_quantity_has_no_percent() -> None:
    page = render(report(TEXT, "text", "regression", gain=Interval(12.5, 4.0, 21.0)))
    assert "+12.500" in page and "in points" not in page and "Is given" in page


def test_the_end_of_the_command() -> None:
    told = end_block(report(TEXT, "text"))
    assert told.startswith("It is so.") and "row 1  warm       91%" in told and "one, three" in told
    assert "- 1 of 4 texts." in told and "headstart report runs/b" in told
    assert "report.html" not in end_block(report(TEXT, "text"), has_report=False)


def test_curves_begin_together_and_keep_inside() -> None:
    drawn = falls(
        (0, 0.5, 1), (("a", "first", (0.9, -0.1, 0.2)), ("b", "random", (0.9, 0.8, 0.2))), "accuracy"
    )
    places = [[y for _, y, _ in line.dots] for line in drawn.lines]
    assert places[0][0] == places[1][0] and places[0][1] < places[1][1]
    assert all(0 <= y <= 100 for line in places for y in line)
