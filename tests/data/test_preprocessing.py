"""Records of preprocessing: JSON, digest, window."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from headstart.data.preprocessing import (
    AudioPreprocessing,
    ImagePreprocessing,
    Preprocessing,
    TextPreprocessing,
    preprocessing_from_json,
    with_window,
)
from headstart.errors import DataError


@pytest.mark.parametrize(
    "record",
    [
        ImagePreprocessing((32, 48), crop_mode="border"),
        TextPreprocessing("{}", 128, "query: ", 1, "<pad>"),
        AudioPreprocessing(8000, 16_000),
    ],
)
def test_json_round_trip_and_digest(record: Preprocessing) -> None:
    back = preprocessing_from_json(json.loads(json.dumps(record.to_json())))
    assert back == record
    assert back.digest() == record.digest()
    assert len(record.digest()) == 64


def test_digest_changes_with_every_field() -> None:
    one = ImagePreprocessing()
    assert one.digest() != replace(one, crop_pct=0.9).digest()


def test_faults_are_named() -> None:
    with pytest.raises(DataError, match="must have a modality"):
        preprocessing_from_json({"modality": "smell"})
    with pytest.raises(DataError, match="no field colour"):
        preprocessing_from_json({"modality": "image", "colour": 1})


def test_window_is_the_longest_clip_rounded_up() -> None:
    plain = AudioPreprocessing(rate_hz=16_000, max_seconds=30.0)
    assert with_window(plain, [1.2, 2.0, np.nan]).window_samples == 32_000
    assert with_window(plain, [2.00001]).window_samples == 32_000
    assert with_window(plain, [2.01]).window_samples == 48_000
    assert with_window(plain, [600.0]).window_samples == 480_000
    assert with_window(plain, [0.0]).window_samples == 16_000
    assert with_window(replace(plain, fixed_window=True), [2.0]).window_samples == 480_000
    assert with_window(replace(plain, max_seconds=None), [600.0]).window_samples == 9_600_000
