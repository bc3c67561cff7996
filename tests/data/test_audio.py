"""Decoding recordings: mono, at the rate asked for, whatever the file holds."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

from headstart.data.audio import decode_audio, fit_window, read_waveform, survey
from headstart.data.content import content_digest
from headstart.errors import DataError

Recording = Callable[..., Path]


def test_mono_at_the_rate_asked_for(recording: Recording) -> None:
    waveform = decode_audio(recording(rate_hz=44_100, seconds=0.5), 16_000)
    assert waveform.dtype == np.float32
    assert abs(len(waveform) - 8000) <= 1
    spectrum = np.abs(np.fft.rfft(waveform))
    assert abs(int(spectrum.argmax()) * 16_000 / len(waveform) - 440) < 4


@pytest.mark.parametrize(
    ("name", "subtype"), [("a.wav", "PCM_U8"), ("b.wav", "FLOAT"), ("c.flac", "PCM_24"), ("d.ogg", "VORBIS")]
)
def test_formats_agree(recording: Recording, name: str, subtype: str) -> None:
    expected = decode_audio(recording("ref.wav"), 16_000)
    got = decode_audio(recording(name, subtype=subtype), 16_000)
    assert len(got) == len(expected)
    assert np.abs(got - expected).max() < 0.03


def test_six_channels_are_mixed(recording: Recording) -> None:
    path = recording("surround.wav", channels=6)
    samples, rate_hz = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(decode_audio(path, rate_hz), samples.mean(axis=1), atol=1e-6)


def test_only_the_first_seconds_are_read(recording: Recording) -> None:
    path = recording("long.wav", seconds=120.0, rate_hz=8000)
    assert len(decode_audio(path, 16_000, max_seconds=2.0)) == 32_000
    assert len(read_waveform(path, max_seconds=2.0)[0]) == 16_000


def test_damage_is_named(recording: Recording, tmp_path: Path) -> None:
    zero = recording("zero.wav", seconds=0.0)
    with pytest.raises(DataError, match=r"zero\.wav: the recording has no samples"):
        decode_audio(zero, 16_000)
    whole = recording("whole.wav")
    cases = {
        "empty.wav": (b"", "the file is empty"),
        "text.wav": (b"hello there", "not a recording"),
        "talk.m4a": (b"xxxx", "convert it"),
    }
    for name, (data, message) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=f"{name}: .*{message}"):
            decode_audio(tmp_path / name, 16_000)
    with pytest.raises(DataError, match="cannot be read"):
        decode_audio(tmp_path / "missing.wav", 16_000)
    assert len(decode_audio(whole.read_bytes(), 16_000)) == 16_000
    soundfile.write(tmp_path / "nan.wav", np.full(100, np.nan, np.float32), 16_000, subtype="FLOAT")
    with pytest.raises(DataError, match="not numbers"):
        decode_audio(tmp_path / "nan.wav", 16_000)


def test_a_cut_flac_is_found(recording: Recording, tmp_path: Path) -> None:
    data = recording("whole.flac", seconds=3.0).read_bytes()
    (tmp_path / "cut.flac").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"cut\.flac: (truncated|damaged)"):
        decode_audio(tmp_path / "cut.flac", 16_000)


def test_window_pads_and_cuts() -> None:
    window, length = fit_window(np.ones(3, np.float32), 5)
    assert window.tolist() == [1, 1, 1, 0, 0] and length == 3
    window, length = fit_window(np.ones(9, np.float32), 5)
    assert window.tolist() == [1] * 5 and length == 5


def test_a_long_recording_is_surveyed_whole(recording: Recording, tmp_path: Path) -> None:
    path = recording("long.flac", seconds=90.0, rate_hz=8000)
    seen = survey(path, keep_seconds=2.0)
    assert len(seen.waveform) == 16_000 and seen.rate_hz == 8000 and seen.seconds == 90.0
    data = path.read_bytes()
    assert seen.digest == content_digest(data)
    (tmp_path / "cut.flac").write_bytes(data[: len(data) * 3 // 4])
    with pytest.raises(DataError, match=r"truncated|damaged"):
        survey(tmp_path / "cut.flac", keep_seconds=2.0)
    assert survey(recording("short.wav", seconds=0.5)).seconds == 0.5
    with pytest.raises(DataError, match="not an array"):
        survey(np.zeros(4, np.float32))


def test_a_damaged_header_prints_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    content = io.BytesIO()
    soundfile.write(content, np.zeros(1600), 8000, format="AIFF", subtype="PCM_16")
    data = bytearray(content.getvalue())
    data[39] = 60  # libsndfile seeks before the beginning
    with suppress(DataError):
        survey(bytes(data))
    assert "Traceback" not in capfd.readouterr().err
