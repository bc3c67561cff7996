"""Runs in which it is known what decides: a corner of a picture, a word of a text, a sound at the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

import headstart
import small_data
import tiny
from headstart.runs.run import Run

SIDE, CORNER = 28, 9  # pixels
DECIDING = ("red", "blue")
RATE_HZ, BURST_HZ = 8_000, 1_500


def corner_pictures(root: Path, n_each: int, seed: int) -> Path:
    """Noise everywhere; only the upper left corner of the pictures of one class has stripes."""
    generator = np.random.default_rng(seed)
    for name in ("marked", "plain"):
        (root / name).mkdir(parents=True)
        for index in range(n_each):
            pixels = generator.integers(60, 130, (SIDE, SIDE)).astype(np.uint8)
            if name == "marked":
                pixels[:CORNER, :CORNER] = 0
                pixels[:CORNER:3, :CORNER] = 255
            Image.fromarray(pixels).save(root / name / f"{index}.png")
    return root


def word_table(path: Path, n_items: int, seed: int) -> Path:
    """Random words; one of two words decides, at any place."""
    generator = np.random.default_rng(seed)
    others = [word for word in dict.fromkeys(tiny.SENTENCE.split()) if word not in DECIDING]
    rows = ["text,label"]
    for index in range(n_items):
        words = list(generator.choice(others, 6, replace=False))
        words.insert(int(generator.integers(7)), DECIDING[index % 2])
        rows.append(f"{' '.join(words)},{'warm' if index % 2 == 0 else 'cold'}")
    return small_data.write(path, "\n".join(rows) + "\n")


def burst_recordings(root: Path, n_each: int, seed: int) -> Path:
    """Half a second of noise; those of one class begin with a loud tone of a fifth of a second."""
    generator = np.random.default_rng(seed)
    for name in ("burst", "noise"):
        (root / name).mkdir(parents=True)
        for index in range(n_each):
            samples = 0.05 * generator.normal(size=RATE_HZ // 2)
            if name == "burst":
                times = np.arange(RATE_HZ // 5) / RATE_HZ
                samples[: len(times)] += 0.6 * np.sin(2 * np.pi * BURST_HZ * times)
            soundfile.write(root / name / f"{index}.wav", samples.astype(np.float32), RATE_HZ)
    return root


def fitted(data: Path, source: str, work: Path) -> Run:
    """A run with the head alone, without a report."""
    more: dict[str, Any] = {"report": False, "baseline": False, "store": str(work / "store")}
    return headstart.fit(data, source, out=work / "runs" / data.stem, **more, **small_data.SETTINGS)


@pytest.fixture(scope="session")
def corner_run(work: Path) -> Run:
    return fitted(corner_pictures(work / "corners", 24, 0), small_data.LETTERS, work)


@pytest.fixture(scope="session")
def word_run(work: Path, text_source: Path) -> Run:
    return fitted(word_table(work / "words.csv", 80, 0), str(text_source), work)


@pytest.fixture(scope="session")
def burst_run(work: Path, audio_source: Path) -> Run:
    return fitted(burst_recordings(work / "bursts", 16, 0), str(audio_source), work)
