"""Findings: what they say, when they are silent, and what they found in real sets."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image

from headstart.data.examples import Examples, string_array
from headstart.data.length_checks import check_lengths
from headstart.data.preprocessing import (
    AudioPreprocessing,
    ImagePreprocessing,
)
from headstart.data.scanning import scan
from small_data import found, texts

WHISPER = AudioPreprocessing(max_seconds=30.0)


def test_nothing_to_say_about_clean_data() -> None:
    assert found(texts([f"word {i}" for i in range(20)], "ab" * 10)) == {}


def test_without_labels_only_the_items_are_looked_at() -> None:
    examples = Examples("text", ["a b", "A, b"], string_array("12"), notes=("Texts are taken from 'x'.",))
    got = found(examples)
    assert set(got) == {"duplicate_within", "note"}
    assert "1 text more than once" in got["duplicate_within"][1]


def test_animated_pictures_are_said(picture: Callable[..., Image.Image]) -> None:
    buffer = io.BytesIO()
    picture(0).save(buffer, "GIF", save_all=True, append_images=[picture(1)])
    examples = Examples("image", [buffer.getvalue()], string_array(["a.gif"]))
    assert "1 file with several pictures (a.gif: GIF of 2 frames" in found(examples)["animated"][1]
    assert check_lengths(examples, scan(examples.items, "image", threads=1), ImagePreprocessing()) == []
