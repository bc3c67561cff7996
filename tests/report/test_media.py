"""Items become small payloads, whatever they are; damaged ones become empty ones."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from headstart.report.media import AUDIO_BYTES, IMAGE_BYTES, Shown, audio_clip, excerpt, shown, thumbnail


def content(uri: str) -> io.BytesIO:
    return io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "CMYK", "I;16", "1"])
def test_thumbnails_of_every_mode_are_small_jpegs(tmp_path: Path, mode: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (900, 700, 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    picture = (
        Image.fromarray(noise[..., 0].astype(np.uint16) * 200) if mode == "I;16" else picture.convert(mode)
    )
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    picture.save(path)
    uri = thumbnail(path)
    assert uri.startswith("data:image/jpeg;base64,") and len(uri) <= IMAGE_BYTES
    assert Image.open(content(uri)).mode == "RGB"


def test_tiny_arrays_are_enlarged() -> None:
    assert min(Image.open(content(thumbnail(np.eye(8, dtype=np.uint8) * 255))).size) >= 96


def test_long_recordings_are_cut_and_fit(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, (44_100 * 12, 2))
    soundfile.write(tmp_path / "a.wav", noise, 44_100)
    uri, peaks, seconds = audio_clip(tmp_path / "a.wav")
    info = soundfile.info(content(uri))
    assert len(content(uri).getvalue()) <= AUDIO_BYTES and info.format == "FLAC" and info.subtype == "PCM_16"
    assert info.channels == 1 and info.duration <= 5.0 and seconds == 12.0
    assert len(peaks) == 80 and max(peaks) == 1.0


def test_excerpts_are_cut_at_words() -> None:
    assert excerpt("a  short\ntext") == "a short text"
    long = excerpt("word " * 100_000)
    assert len(long) <= 400 and long.endswith("word …")
    assert len(excerpt("x" * 5000)) <= 400


def test_a_damaged_item_is_shown_empty(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"not an image")
    assert shown(tmp_path / "bad.jpg", "image") == shown(tmp_path / "none.wav", "audio") == Shown()


def test_embedded_files_are_shown_as_files_are(tmp_path: Path) -> None:
    Image.fromarray(np.eye(64, dtype=np.uint8) * 255).save(tmp_path / "a.png")
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 4000), 8000)
    for name, modality in (("a.png", "image"), ("a.wav", "audio")):
        own = shown((tmp_path / name).read_bytes(), modality)
        assert own.payload and own == shown(tmp_path / name, modality)


def test_only_listed_formats_are_opened(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.eps")
    assert shown(tmp_path / "a.eps", "image") == Shown()
