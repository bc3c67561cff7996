"""Findings on items that occur more than once."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from headstart.data.examples import Examples, string_array
from headstart.data.preprocessing import (
    AudioPreprocessing,
)
from headstart.data.read import read_examples
from small_data import found, texts

WHISPER = AudioPreprocessing(max_seconds=30.0)


def test_repeats_conflicts_and_leaks() -> None:
    items = [f"word {i}" for i in range(20)] + ["Word, 0", "word 1", "word 2."]
    examples = texts(items, "ab" * 10 + "aba", ["train"] * 18 + ["test"] * 3 + ["train"] * 2)
    examples = replace(examples, groups=string_array(["g"] * 19 + ["h"] * 4), group="patient")
    got = found(examples)
    assert got["duplicate_across"][0] == 1 and "row 1 = row 21 'word 0'" in got["duplicate_across"][1]
    assert got["duplicate_within"][0] == 2
    assert "conflicting_labels" not in got
    assert got["group_leak"][0] == 2 and "patient" in got["group_leak"][1]


def test_conflicting_labels() -> None:
    got = found(texts(["same", "same", *(f"w{i}" for i in range(18))], "ab" * 10))
    assert got["conflicting_labels"][0] == 1 and "a / b" in got["conflicting_labels"][1]


def test_near_copies_of_pictures(picture: Callable[..., Image.Image]) -> None:
    def jpeg(image: Image.Image, quality: int) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return buffer.getvalue()

    items = [jpeg(picture(i, 200, 150), 95) for i in range(12)]
    items += [jpeg(picture(0, 200, 150), 40), jpeg(picture(1, 120, 90), 90)]
    splits = string_array(["train"] * 12 + ["train", "test"])
    names = string_array(range(14))
    got = found(Examples("image", items, names, string_array("ab" * 7), splits=splits))
    assert got["near_duplicate_within"][0] == 1 and "0 = 12" in got["near_duplicate_within"][1]
    assert got["near_duplicate_across"][0] == 1 and "1 = 13" in got["near_duplicate_across"][1]


def test_near_copies_of_texts() -> None:
    long = "one of the few films of this year that the whole family can watch, and most will like it"
    items = [f"word {i}" for i in range(20)] + [long, f"RT: {long}", long.replace("family", "famly")]
    got = found(texts(items, "ab" * 11 + "a", ["train"] * 21 + ["test"] + ["train"]))
    n_sets, message = got["near_duplicate_across"]
    assert n_sets == 1 and "1 set of texts that are near copies across the split" in message
    assert "row 21 = row 22 = row 23 'one of the few films" in message
    assert "near_duplicate_within" not in got and "near_duplicate_pattern" not in got


def test_a_pattern_is_no_copy() -> None:
    items = [
        f"Dear {name}, your order has left our house and will be with you soon"
        for name in "abcdefghijklmnopqrstuvwxyz"
    ]
    n_items, message = found(texts([*items, *(f"word {i}" for i in range(30))], "ab" * 28))[
        "near_duplicate_pattern"
    ]
    assert n_items == 1 and message.startswith(
        "26 texts in 1 set are as alike as near copies, such as row 1 = row 2 = row 3"
    )
    assert "--group" in message


@pytest.mark.real
def test_real_leaks_are_found(shared: Path) -> None:
    counts = {}
    for name in ("trec", "sst2", "pneumoniamnist", "amcd"):
        got = found(read_examples(shared / "data" / name))
        counts[name] = got["duplicate_across"][0]
        if name == "trec":
            assert "DESC / LOC" in got["conflicting_labels"][1]
    assert counts == {"trec": 11, "sst2": 3, "pneumoniamnist": 3, "amcd": 7}


@pytest.mark.real
def test_real_pictures_are_not_taken_for_near_copies(shared: Path) -> None:
    for name in ("chest_xray", "hymenoptera", "emodb"):
        got = found(read_examples(shared / "data" / name))
        assert not any(kind.startswith(("near", "duplicate")) for kind in got), name
