"""Long recordings in windows: without gaps, the last one ends with the recording, short ones as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.audio import read_waveform
from headstart.data.audio_windows import Windows
from headstart.errors import DataError

RATE = 8_000


@given(st.lists(st.floats(0.01, 60.0), min_size=1, max_size=6), st.floats(0.5, 10.0))
def test_every_moment_lies_in_a_window(seconds: list[float], window: float) -> None:
    found = Windows([b""] * len(seconds), np.array(seconds), window)
    assert list(np.unique(found.recording)) == list(range(len(seconds)))
    for at, length in enumerate(seconds):
        starts, ends = found.starts[found.recording == at], found.ends[found.recording == at]
        assert (
            starts[0] == 0
            and ends[-1] == pytest.approx(length, abs=2e-3)
            and len(starts) <= length / window + 1.01
        )
        assert (starts[1:] <= ends[:-1] + 1e-9).all()
        np.testing.assert_allclose(ends - starts, min(window, length), atol=2e-3)


def test_the_samples_of_each_window(tmp_path: Path) -> None:
    waveform = np.random.default_rng(0).normal(size=(RATE * 5 // 2, 2)).astype(np.float32) / 10
    soundfile.write(tmp_path / "long.wav", waveform, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "short.flac", waveform[:RATE], RATE)
    items = [tmp_path / "short.flac", tmp_path / "long.wav"]
    windows = Windows(items, np.array([1.0, 2.5]), 1.0)
    assert windows[0] == items[0] and len(windows) == 4
    np.testing.assert_array_equal(windows.starts, [0, 0, 1, 1.5])
    mono = waveform.mean(axis=1)
    for index, start in ((1, 0), (2, RATE), (3, RATE * 3 // 2)):
        found, rate_hz = read_waveform(windows[index])
        assert rate_hz == RATE
        np.testing.assert_allclose(found, mono[start : start + RATE], atol=1e-7)
    (tmp_path / "long.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"long\.wav cannot be read"):
        windows[2]
