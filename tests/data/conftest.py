"""Small pictures, recordings and folders made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from headstart.data.preprocessing import TextPreprocessing


@pytest.fixture
def picture() -> Callable[..., Image.Image]:
    """Make a smooth picture that survives resizing: picture(seed, width, height)."""

    def make(seed: int = 0, width: int = 64, height: int = 48) -> Image.Image:
        coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.uint8)
        return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)

    return make


@pytest.fixture
def class_folders(tmp_path: Path, picture: Callable[..., Image.Image]) -> Callable[..., Path]:
    """Make class folders: class_folders({"train/cat": 3, "test/dog": 2}) gives their root."""

    def make(counts: dict[str, int], root: str = "pictures") -> Path:
        folder = tmp_path / root
        seed = 0
        for name, count in counts.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            for index in range(count):
                picture(seed).save(folder / name / f"{index:03d}.png")
                seed += 1
        return folder

    return make


@pytest.fixture
def recording(tmp_path: Path) -> Callable[..., Path]:
    """Write a recording: recording(name, seconds, rate_hz, channels, subtype) gives its path."""

    def make(
        name: str = "tone.wav",
        seconds: float = 1.0,
        rate_hz: int = 16_000,
        channels: int = 1,
        subtype: str = "PCM_16",
        level: float = 0.5,
        pitch_hz: float = 440.0,
    ) -> Path:
        time = np.arange(int(seconds * rate_hz)) / rate_hz
        tone = level * np.sin(2 * np.pi * pitch_hz * time)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate_hz, subtype=subtype)
        return path

    return make


@pytest.fixture
def word_tokenizer() -> TextPreprocessing:
    """A tokenizer of whole words with one token before and one after each text."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, "<": 2, ">": 3, "a": 4, "b": 5}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="< $A >", special_tokens=[("<", 2), (">", 3)]
    )
    return TextPreprocessing(tokenizer.to_str(), max_length=100)
