"""Standardised differences of statistics: damaged pictures, recordings of other level and bandwidth."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageFilter

from headstart.adapt.shift import pictures, recordings
from headstart.adapt.shift.differences import Difference, compare
from headstart.adapt.shift.sentences import difference_sentences, window_sentences
from headstart.data.preprocessing import AudioPreprocessing
from headstart.errors import DataError


def by_name(found: tuple[Difference, ...]) -> dict[str, Difference]:
    return {each.name: each for each in found}


def photos(n_items: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(n_items):
        small = Image.fromarray(rng.integers(0, 256, size=(24, 24, 3), dtype=np.uint8))
        out.append(np.asarray(small.resize((200, 180), Image.Resampling.BICUBIC)))
    return out


def test_a_difference_is_in_deviations() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=4000), 3 + 2 * rng.normal(size=4000)
    (found,) = compare({"x": a}, {"x": b})
    assert float(found.difference) == pytest.approx(3 / np.sqrt(2.5), abs=0.1) and found.is_large
    (equal,) = compare({"x": a}, {"x": a[:100]})
    assert not equal.is_large


def test_groups_are_units() -> None:
    rng = np.random.default_rng(1)
    speaker = np.repeat(np.arange(6), 50)
    level = 1.5 * rng.normal(size=6)[speaker] + 0.1 * rng.normal(size=300)
    level[150:] += 2.0
    (alone,) = compare({"level": level[:150]}, {"level": level[150:]})
    (found,) = compare({"level": level[:150]}, {"level": level[150:]}, speaker[:150], speaker[150:])
    assert alone.is_large and not found.is_large
    assert compare({"x": level[:1]}, {"x": level})[0].difference.low is None


def test_what_is_the_same_everywhere() -> None:
    (found,) = compare({"x": np.ones(20)}, {"x": np.ones(20)})
    assert float(found.difference) == 0 and not found.is_large
    (found,) = compare({"x": np.zeros(20)}, {"x": np.ones(20)})
    assert float(found.difference) == 10 and found.is_large
    assert json.loads(json.dumps([found.to_json(), found.is_large]))[1] is True


def test_each_damage_of_pictures_shows_in_its_statistic() -> None:
    plain, other = photos(12, 0), photos(12, 1)
    rng = np.random.default_rng(2)
    damaged = {
        "sharpness": [np.asarray(Image.fromarray(p).filter(ImageFilter.GaussianBlur(3))) for p in other],
        "noise": [np.clip(p + rng.normal(0, 20, p.shape), 0, 255).astype(np.uint8) for p in other],
        "brightness": [(p * 0.4).astype(np.uint8) for p in other],
        "contrast": [(96 + 0.25 * p).astype(np.uint8) for p in other],
        "greyscale (share)": [np.asarray(Image.fromarray(p).convert("L")) for p in other],
    }
    source = pictures.picture_statistics(plain)
    for name, items in damaged.items():
        found = by_name(compare(source, pictures.picture_statistics(items)))
        assert found[name].is_large, name
        assert any(name in sentence for sentence in difference_sentences(tuple(found.values())))
    assert not any(each.is_large for each in compare(source, pictures.picture_statistics(other)))
    assert pictures.picture_statistics([]) == {}


def test_noise_is_in_grey_levels() -> None:
    rng = np.random.default_rng(3)
    grey = np.clip(128 + rng.normal(0, 10, (300, 300)), 0, 255).astype(np.uint8)
    assert pictures.statistics(grey)["noise"] == pytest.approx(10, rel=0.05)


def test_statistics_of_a_tone() -> None:
    time = np.arange(16_000) / 16_000
    tone = (0.5 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    tone[8000:] = 0
    found = recordings.statistics(tone, 16_000)
    assert found["level in dB"] == pytest.approx(10 * np.log10(0.125 / 2), abs=0.01)
    assert found["bandwidth in Hz"] == pytest.approx(1000, abs=30)
    assert found["silence"] == pytest.approx(0.5, abs=0.02)
    assert recordings.statistics(np.zeros(100, np.float32), 8000)["bandwidth in Hz"] == 0


def test_recordings_of_another_line() -> None:
    rng = np.random.default_rng(4)

    def encoded(samples: np.ndarray) -> bytes:
        file = io.BytesIO()
        soundfile.write(file, samples, 16_000, format="WAV")
        return file.getvalue()

    def quiet(samples: np.ndarray) -> np.ndarray:
        spectrum = np.fft.rfft(samples)
        spectrum[len(spectrum) // 4 :] = 0
        return 0.05 * np.fft.irfft(spectrum, len(samples))

    sounds = [0.2 * rng.uniform(0.5, 1) * rng.normal(size=int(rng.integers(8000, 16_000))) for _ in range(24)]
    source = recordings.recording_statistics([encoded(s) for s in sounds[:12]])
    same = [encoded(s) for s in sounds[12:]]
    other = by_name(
        compare(source, recordings.recording_statistics([encoded(quiet(s)) for s in sounds[12:]]))
    )
    assert other["level in dB"].is_large and other["bandwidth in Hz"].is_large
    assert not other["length in s"].is_large and other["level in dB"].to_json()["name"] == "level in dB"
    assert not any(each.is_large for each in compare(source, recordings.recording_statistics(same)))
    with pytest.raises(DataError, match="not a recording"):
        recordings.recording_statistics([b"no sound at all"])


def test_windows_of_both_domains() -> None:
    how = AudioPreprocessing(window_multiple_seconds=1.0)
    found = recordings.compare_windows(how, np.array([1.2, 2.9]), np.array([2.5, 3.4, 6.1, 2.0]))
    assert (found.source_seconds, found.target_seconds, found.cut) == (3.0, 7.0, 0.5) and found.differ
    (sentence,) = window_sentences(found)
    assert "3 s" in sentence and "7 s" in sentence and "50%" in sentence
    same = recordings.compare_windows(how, np.array([2.9]), np.array([2.2]))
    assert not same.differ and window_sentences(same) == [] and same.to_json()["cut"] == 0
