"""Pictures and recordings of other libraries are the same items as their files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from headstart.data import Examples, ImagePreprocessing
from headstart.data.audio import decode_audio
from headstart.data.given import items_of
from headstart.data.images import decode_image
from headstart.errors import DataError

TONE = np.sin(np.arange(8_000) / 20).astype(np.float32) / 2


def test_pictures_of_pil(tmp_path: Path) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (12, 17, 3), dtype=np.uint8))
    turned = picture.copy()
    turned.getexif()[0x0112] = 6  # to be turned by a quarter
    turned.save(tmp_path / "turned.png", exif=turned.getexif())
    pictures = [picture, picture.convert("L"), picture.convert("RGBA"), Image.open(tmp_path / "turned.png")]
    items = items_of(pictures)
    assert [item.shape for item in items] == [(12, 17, 3), (12, 17), (12, 17, 3), (17, 12, 3)]
    np.testing.assert_array_equal(items[0], np.asarray(picture))
    whole = ImagePreprocessing(size=(17, 12), crop_pct=1.0)
    np.testing.assert_array_equal(decode_image(items[3], whole), decode_image(tmp_path / "turned.png", whole))
    assert len(items_of(picture)) == 1 and Examples.from_lists(items_of(picture)).modality == "image"


@pytest.mark.parametrize("shape", ["mono", "channels first", "channels last"])
def test_waveforms_with_a_rate(shape: str, tmp_path: Path) -> None:
    array = {"mono": TONE, "channels first": np.stack([TONE] * 2), "channels last": np.stack([TONE] * 2, 1)}[
        shape
    ]
    soundfile.write(tmp_path / "tone.wav", TONE, 8_000, subtype="FLOAT")
    (item,) = items_of({"array": array, "sampling_rate": 8_000, "path": "somewhere.wav"})
    np.testing.assert_array_equal(decode_audio(item, 16_000), decode_audio(tmp_path / "tone.wav", 16_000))
    assert Examples.from_lists([item]).modality == "audio"


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.uint8, np.float64])
def test_whole_numbers_are_scaled_to_one(kind: type[np.generic]) -> None:
    about = np.iinfo(kind) if np.issubdtype(kind, np.integer) else None
    array = TONE.astype(kind) if about is None else (TONE * 127).round().astype(np.int8).astype(np.float64)
    if about is not None:
        array = (array * ((about.max + 1) / (128 if about.min else 256)) + (0 if about.min else 128)).astype(
            kind
        )
    (item,) = items_of({"array": array, "sampling_rate": 8_000})
    np.testing.assert_allclose(decode_audio(item, 8_000), TONE, atol=0.01)


def test_what_datasets_does_not_decode(tmp_path: Path) -> None:
    held = io.BytesIO()
    Image.new("RGB", (4, 4)).save(held, "WEBP")
    items = items_of(
        [{"bytes": held.getvalue(), "path": None}, {"bytes": None, "path": str(tmp_path / "a.png")}]
    )
    assert items == [held.getvalue(), str(tmp_path / "a.png")]
    assert Examples.from_lists(items).modality == "image"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"waveform": TONE}, r"X\[0\] is a dictionary of waveform"),
        ({}, "dictionary of nothing"),
        ({"array": [], "sampling_rate": 8_000}, "must have shape"),
        ({"array": np.zeros((2, 2, 2)), "sampling_rate": 8_000}, "must have shape"),
        ({"array": ["a"], "sampling_rate": 8_000}, "must hold numbers"),
        *(
            ({"array": TONE, "sampling_rate": rate}, "'sampling_rate' must be a whole number of Hz")
            for rate in ("fast", -1, 0, None, True, 8000.7, float("inf"), 10**30, np.array([8000, 1]))
        ),
        ({"array": [0.0, np.nan], "sampling_rate": 8_000}, "not finite"),
        ({"array": np.array([1e300]), "sampling_rate": 8_000}, "far above 1"),
        ({"array": TONE * 1j, "sampling_rate": 8_000}, "must hold numbers"),
        ({"bytes": b"", "path": None}, "a file has 'bytes' or 'path'"),
        ({"path": 3}, "a file has 'bytes' or 'path'"),
        ([TONE], r"X\[0\] is of type list: an item is a path"),
        (3, "is of type int"),
        (bytearray(b"x"), "is of type bytearray"),
        (Image.Image(), "is no picture that can be used"),
    ],
)
def test_what_is_no_item(value: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        items_of([value])
