"""Image processors as our own records: size, crop, filter, mean and deviation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headstart.data.preprocessing import ImagePreprocessing
from headstart.errors import SourceError
from headstart.sources.processors import audio_preprocessing, image_preprocessing

MEAN = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}
OWN = {"mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6)}


@pytest.mark.parametrize(
    ("processor", "expected"),
    [
        (
            {"size": {"height": 224, "width": 192}, "resample": 3},
            ImagePreprocessing((224, 192), **OWN, interpolation="bicubic", crop_pct=1.0, crop_mode="squash"),
        ),
        (
            {"size": 384},
            ImagePreprocessing((384, 384), **OWN, interpolation="bilinear", crop_pct=1.0, crop_mode="squash"),
        ),
        (
            {
                "size": {"shortest_edge": 256},
                "do_center_crop": True,
                "crop_size": {"height": 224, "width": 224},
            },
            ImagePreprocessing(
                (224, 224), **OWN, interpolation="bilinear", crop_pct=0.875, crop_mode="center"
            ),
        ),
        (
            {"size": {"height": 256, "width": 256}, "do_center_crop": True, "crop_size": 224, "resample": 2},
            ImagePreprocessing(
                (224, 224), **OWN, interpolation="bilinear", crop_pct=0.875, crop_mode="squash"
            ),
        ),
        (
            {"size": {"shortest_edge": 224}, "crop_pct": 0.875, "resample": 3},
            ImagePreprocessing(
                (224, 224), **OWN, interpolation="bicubic", crop_pct=0.875, crop_mode="center"
            ),
        ),
        (
            {"size": {"shortest_edge": 384}, "crop_pct": 0.875, "resample": 3},
            ImagePreprocessing((384, 384), **OWN, interpolation="bicubic", crop_pct=1.0, crop_mode="squash"),
        ),
        (
            {"size": {"height": 32, "width": 32}, "do_normalize": False},
            ImagePreprocessing((32, 32), (0, 0, 0), (1, 1, 1), "bilinear", 1.0, "squash"),
        ),
    ],
)
def test_geometry(processor: dict[str, Any], expected: ImagePreprocessing) -> None:
    assert image_preprocessing({**MEAN, **processor}, Path("here")) == expected


@pytest.mark.parametrize(
    ("processor", "message"),
    [
        ({}, "does not give the size"),
        ({"size": 32, "do_rescale": False}, "keeps values in 0..255"),
        ({"size": 32, "image_mean": None}, "does not give image_mean"),
    ],
)
def test_what_is_not_told_is_refused(processor: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        image_preprocessing({**MEAN, **processor}, Path("here"))


def test_a_feature_extractor_tells_rate_and_window() -> None:
    own = audio_preprocessing({"sampling_rate": 16000, "chunk_length": 20}, Path("here"))
    assert (own.rate_hz, own.max_seconds, own.fixed_window) == (16000, 20.0, False)
