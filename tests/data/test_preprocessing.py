"""Records of preprocessing: JSON, digest, window."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

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

RECORDS: dict[str, Any] = {
    "image": ImagePreprocessing,
    "text": TextPreprocessing,
    "audio": AudioPreprocessing,
}


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


HOSTILE: tuple[tuple[str, str, Any, str], ...] = (
    ("image", "interpolation", "evil)\n import os", "one of nearest, "),
    ("image", "crop_mode", "stretch", "one of center, squash, border"),
    ("image", "size", [0, 0], "2 whole numbers from 1 to 4096"),
    ("image", "size", [30_000, 30_000], "2 whole numbers from 1 to 4096"),
    ("image", "size", [32], "2 whole numbers"),
    ("image", "size", 32, "2 whole numbers"),
    ("image", "size", [32.0, True], "2 whole numbers"),
    ("image", "mean", [math.nan] * 3, "3 numbers from -1000 to 1000"),
    ("image", "mean", [0.1, 0.2, math.inf], "3 numbers from -1000 to 1000"),
    ("image", "std", [0, 0, 0], "3 numbers from 1e-06 to 1000"),
    ("image", "std", [0.2, 0.2, 1e-9], "3 numbers from 1e-06 to 1000"),
    ("image", "std", [0.2, -0.2, 0.2], "3 numbers from 1e-06 to 1000"),
    ("image", "crop_pct", 0, "a number from 0.05 to 1.5"),
    ("image", "crop_pct", -1, "a number from 0.05 to 1.5"),
    ("image", "crop_pct", 1e-9, "a number from 0.05 to 1.5"),
    ("image", "crop_pct", math.nan, "a number from 0.05 to 1.5"),
    ("text", "max_length", 0, "a whole number from 1 to 131072"),
    ("text", "max_length", 10**12, "a whole number from 1 to 131072"),
    ("text", "pad_id", -1, "a whole number from 0 to 2147483647"),
    ("audio", "rate_hz", 0, "a whole number from 100 to 1000000"),
    ("audio", "rate_hz", 10**12, "a whole number from 100 to 1000000"),
    ("audio", "window_samples", -5, "a whole number from 1 to"),
    ("audio", "window_samples", 10**12, "a whole number from 1 to"),
    ("audio", "max_seconds", math.inf, "a number from 0.01 to 3600"),
    ("audio", "window_multiple_seconds", 0, "a number from 0.01 to 3600"),
)


@pytest.mark.parametrize(("modality", "name", "value", "allowed"), HOSTILE)
def test_values_out_of_range_are_refused_wherever_they_come_from(
    modality: str, name: str, value: Any, allowed: str
) -> None:
    message = f"{modality} preprocessing: {name} must be {allowed}"
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        preprocessing_from_json({"modality": modality, name: value})
    assert len(str(caught.value)) < 250
    given = tuple(value) if isinstance(value, list) else value
    with pytest.raises(DataError, match=re.escape(message)):
        RECORDS[modality](**{name: given})


def test_a_wrong_type_is_refused() -> None:
    for modality, name, value in (
        ("text", "prompt", 5),
        ("audio", "fixed_window", "x"),
        ("image", "mean", "abc"),
    ):
        with pytest.raises(DataError, match=name):
            preprocessing_from_json({"modality": modality, name: value})
