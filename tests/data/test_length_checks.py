"""Findings on long recordings and texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart.data.checks import check
from headstart.data.examples import Examples, string_array
from headstart.data.findings import Finding
from headstart.data.length_checks import check_lengths
from headstart.data.preprocessing import (
    AudioPreprocessing,
    TextPreprocessing,
    with_window,
)
from headstart.data.scanning import Scan, scan
from small_data import texts

WHISPER = AudioPreprocessing(max_seconds=30.0)


def lasting(seconds: list[float]) -> tuple[Examples, Scan]:
    """Recordings of these durations, as a pass over their files would find them."""
    names = string_array(f"{index}.wav" for index in range(len(seconds)))
    digests = string_array(range(len(seconds)))
    examples = Examples("audio", [Path(name) for name in names], names)
    return examples, Scan(digests, np.zeros((len(seconds), 1), np.uint8), {}, seconds=np.array(seconds))


def padding(seconds: list[float], preprocessing: AudioPreprocessing = WHISPER) -> list[Finding]:
    examples, seen = lasting(seconds)
    found = check_lengths(examples, seen, with_window(preprocessing, seen.seconds))
    return [finding for finding in found if finding.kind == "padding"]


def test_silent_and_long_recordings(recording: Callable[..., Path]) -> None:
    items = [recording(f"{i}.wav", seconds=0.2 + i, pitch_hz=200 + 90 * i) for i in range(4)]
    items.append(recording("silent.wav", level=0.0))
    examples = Examples("audio", items, string_array(p.name for p in items), string_array("ababa"))
    seen = scan(items, "audio", threads=1)
    assert "silent.wav" in {f.kind: f for f in check(examples, seen)}["silent"].message
    (long,) = check_lengths(examples, seen, AudioPreprocessing(max_seconds=3.0))
    assert "Longer than 3 s: 1 of 5 recordings" in long.message
    assert check_lengths(examples, seen, AudioPreprocessing()) == []


def test_a_few_long_recordings_are_told_with_what_they_cost() -> None:
    (told,) = padding([1.5] * 50 + [600.0] + [1.5] * 49)
    assert told.severity == "warning" and told.items == ("50.wav",)
    assert told.message == (
        "The longest of 100 recordings lasts 600.0 s, so all of them are computed in a window of 30 s: 94% of "
        "that is padding. 2 s would be enough without 50.wav: cut the long ones, or leave them out."
    )
    assert padding([1.5] * 99 + [5.0]) == []  # 69% of windows of 5 s
    (told,) = padding([1.5] * 99 + [7.0])
    assert "window of 7 s: 78%" in told.message
    assert padding([1.0] * 60 + [20.0] * 40) == []  # not a few
    assert padding([1.0] * 100) == []
    assert padding([1.0] * 99 + [20.0], replace(WHISPER, fixed_window=True)) == []  # nothing would change


def test_cut_texts(word_tokenizer: TextPreprocessing) -> None:
    examples = texts(["a b", "a " * 100_000, "b", "a"], "abab")
    seen = scan(examples.items, "text", threads=1)
    (cut,) = check_lengths(examples, seen, word_tokenizer)
    assert "1 of 4 texts (25.0%)" in cut.message and cut.severity == "warning"


def test_held_out_recordings_beyond_the_window_are_told() -> None:
    examples, seen = lasting([1.5] * 8 + [1.9, 6.0])
    examples = replace(examples, splits=string_array(["train"] * 8 + ["test"] * 2))
    window = with_window(WHISPER, [1.5] * 8)
    (told,) = check_lengths(examples, seen, window)
    assert told.items == ("9.wav",) and told.severity == "warning"
    assert (
        "Longer than 2 s, the window of the recordings learned from: 1 of 2 held-out recordings"
        in told.message
    )
    assert check_lengths(examples, seen, with_window(replace(WHISPER, max_seconds=2.0), [1.5] * 8))[
        0
    ].message == ("Longer than 2 s: 1 of 10 recordings (the longest 6 s). Only their first 2 s are used.")
