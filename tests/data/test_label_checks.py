"""Findings on labels: rare, unseen, uneven and alike classes."""

from __future__ import annotations

from headstart.data.examples import Examples, string_array
from headstart.data.preprocessing import (
    AudioPreprocessing,
)
from small_data import found, texts

WHISPER = AudioPreprocessing(max_seconds=30.0)


def test_rare_unseen_and_uneven_classes() -> None:
    items = [f"word {i}" for i in range(63)]
    got = found(texts(items, "a" * 60 + "bbc", ["train"] * 62 + ["test"]))
    assert "b (2)" in got["few_items"][1]
    assert "has the class c" in got["unseen_class"][1]
    assert "'a' has 60" in got["imbalance"][1]


def test_classes_that_differ_only_in_case() -> None:
    names = string_array(range(40))
    labels = string_array(["Cat", "cat ", "dog", "cow"] * 10)
    examples = Examples("text", [f"word {i}" for i in range(40)], names, labels)
    assert "'Cat' / 'cat '" in found(examples)["like_classes"][1]


def test_classes_that_look_the_same() -> None:
    spellings = ["caf\u00e9", "cafe\u0301", "dog", "do\u200bg", "ice cream", "ice  cream", "cow"]
    examples = Examples(
        "text", [f"word {i}" for i in range(70)], string_array(range(70)), string_array(spellings * 10)
    )
    n_items, message = found(examples)["like_classes"]
    assert n_items == 6 and "write them alike" in message
    assert r"'cafe\u0301' / 'café'" in message and r"'dog' / 'do\u200bg'" in message
