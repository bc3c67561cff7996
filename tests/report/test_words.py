"""Numbers and facts in plain words, and the warnings derived from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headstart.report import ReportContext, Score, end_block
from headstart.report.notices import notices
from headstart.report.words import byte_size, duration, many_of, points, sentence, verdict


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
    assert many_of("speaker") == ("speaker", "speakers") and many_of("city") == ("city", "cities")
    assert many_of("label") == ("class", "classes")


@pytest.mark.parametrize("found", [None, {"value": None}, float("nan"), {"value": float("inf")}])
def test_score_of_nothing_is_none(found: object) -> None:
    assert Score.of(found) is None


def test_score_reads_mappings_objects_and_numbers() -> None:
    assert (
        Score.of({"value": 0.5, "low": 0.4, "high": 0.6})
        == Score(0.5, 0.4, 0.6)
        == Score.of(Score(0.5, 0.4, 0.6))
    )
    assert Score.of(1) == Score(1.0) == Score.of({"value": 1, "low": None, "high": 2})


def test_sentences(samples: dict[str, ReportContext]) -> None:
    said = sentence(samples["image"])
    assert said.startswith(
        "headstart trained a linear head on blocks.5 of mobilenetv2_100.tf2_ptq_in1k to tell normal"
    )
    assert "fine-tuned layer.3 to layer.5 of" in sentence(samples["text"])
    assert "10 speakers apart" in sentence(samples["audio"])


def test_verdicts(samples: dict[str, ReportContext]) -> None:
    context = samples["image"]
    for outcome, title in (("positive", "helped"), ("negative", "hurt"), ("undecided", "No clear")):
        told = verdict(replace(context, metrics={**context.metrics, "verdict": outcome}))
        assert told is not None and title in told.title
    assert verdict(replace(context, metrics={"verdict": None})) is None


def titles(context: ReportContext) -> str:
    return " | ".join(notice.title for notice in notices(context))


def test_warnings_are_derived(samples: dict[str, ReportContext]) -> None:
    assert "looks different from the training part" in titles(samples["image"])
    assert "looks different" not in titles(replace(samples["image"], cross_validated=None))
    audio = samples["audio"]
    for outcome, title in (
        ("negative", "The classical baseline wins"),
        ("undecided", "baseline does as well"),
    ):
        assert title in titles(replace(audio, metrics={**audio.metrics, "verdict": outcome}))
    few = replace(samples["text"], metrics={**samples["text"].metrics, "n_test": 12})
    assert "Few held-out items" in titles(few)
    part = replace(samples["text"].parts[0], counts={"negative": 3, "positive": 400})
    assert "1 class with fewer than 10 items in train" in titles(replace(samples["text"], parts=(part,)))


def test_end_block_is_plain_text(samples: dict[str, ReportContext]) -> None:
    context = replace(samples["image"], classes=("\x1b[31mred", "b"), confusion=np.eye(2, dtype=int))
    block = end_block(context)
    assert "\x1b" not in block and all(c.isprintable() for c in block.replace("\n", ""))
    for words in (
        "This run",
        "Classical features",
        "Majority class",
        "Transfer helped",
        context.next_command,
    ):
        assert words in block
