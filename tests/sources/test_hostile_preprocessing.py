"""Preprocessing that no input can be prepared with is refused by the file that holds it, for every library."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import headstart
import tiny
from headstart.errors import InputError, SourceError
from headstart.runs.run import Run
from headstart.sources import load_source


def put(path: Path, *way: str, value: Any) -> None:
    """Set a value inside a JSON file; the value may be JSON text, for numbers that Python cannot hold."""
    content = tiny.read_json(path)
    part = content
    for key in way[:-1]:
        part = part[key]
    part[way[-1]] = "HERE"
    path.write_text(
        json.dumps(content).replace('"HERE"', value if isinstance(value, str) else json.dumps(value))
    )


def refused(uri: str, *parts: str, **options: Any) -> None:
    with pytest.raises(SourceError, match=".*".join(map(re.escape, parts))) as caught:
        load_source(uri, **options)
    assert "cannot be read as a source" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("interpolation", '"evil)\\n import os"', "interpolation must be one of"),
        ("mean", "[NaN, NaN, NaN]", "mean must be 3 numbers"),
        ("mean", "[1e400, 0, 0]", "mean must be 3 numbers"),
        ("std", "[0, 0, 0]", "std must be 3 numbers"),
        ("input_size", "[3, 0, 0]", "size must be 2 whole numbers"),
        ("input_size", "[3, 30000, 30000]", "size must be 2 whole numbers"),
        ("crop_pct", "0", "crop_pct must be a number"),
        ("crop_pct", "-1", "crop_pct must be a number"),
        ("crop_mode", '"x"', "crop_mode must be one of"),
    ],
)
def test_timm(tmp_path: Path, name: str, value: str, message: str) -> None:
    tiny.save_timm(tmp_path / "timm")
    put(tmp_path / "timm" / "config.json", "pretrained_cfg", name, value=value)
    refused(str(tmp_path / "timm"), "config.json: ", message)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("size", '{"height": 0, "width": 0}', "size must be 2 whole numbers"),
        ("image_std", "[0, 0, 0]", "std must be 3 numbers"),
        ("image_mean", "[1e400, 0, 0]", "mean must be 3 numbers"),
        ("resample", "99", "interpolation must be one of"),
        ("size", '{"shortest_edge": 0}', "size must be 2 whole numbers"),
        ("size", '{"width": 0}', "cannot be read as an image processor"),
    ],
)
def test_an_image_processor(tmp_path: Path, name: str, value: str, message: str) -> None:
    tiny.save_vision(tmp_path / "vit", "vit", **tiny.sizes(), image_size=32, patch_size=8)
    put(tmp_path / "vit" / "preprocessor_config.json", name, value=value)
    refused(str(tmp_path / "vit"), "preprocessor_config.json", message)


@pytest.mark.parametrize("rate_hz", [0, 10**12])
def test_a_feature_extractor(tmp_path: Path, rate_hz: int) -> None:
    tiny.save_audio(tmp_path / "audio", "wav2vec2")
    put(tmp_path / "audio" / "preprocessor_config.json", "sampling_rate", value=rate_hz)
    refused(str(tmp_path / "audio"), "preprocessor_config.json: ", "rate_hz must be a whole number")


def test_a_text_source(tmp_path: Path) -> None:
    tiny.save_text(tmp_path / "text")
    put(tmp_path / "text" / "tokenizer_config.json", "model_max_length", value=-3)
    refused(str(tmp_path / "text"), "text: ", "max_length must be a whole number")


def test_a_network_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self, config):\n"
        "        super().__init__()\n        self.one = nn.Conv2d(3, 4, 3)\n\n"
        "    def forward(self, pixels):\n        return self.one(pixels)\n"
    )
    save_file(
        {"one.weight": torch.zeros(4, 3, 3, 3), "one.bias": torch.zeros(4)}, tmp_path / "model.safetensors"
    )
    given = {"size": [16, 16], "std": [0, 0, 0]}
    tiny.write_json(tmp_path / "config.json", {"modality": "image", "preprocessing": given})
    refused(str(tmp_path), "config.json: ", "std must be 3 numbers", arch=f"{tmp_path / 'mine.py'}:Net")


@pytest.mark.parametrize(
    ("name", "value"),
    [("interpolation", '"evil)\\n import os"'), ("crop_pct", "0"), ("size", "[30000, 30000]")],
)
def test_a_run(digit_run: Run, digit_folder: Path, tmp_path: Path, name: str, value: str) -> None:
    run = Path(shutil.copytree(digit_run.path, tmp_path / "run"))
    put(run / "source.json", "preprocessing", name, value=value)
    metrics = tiny.read_json(run / "metrics.json")
    metrics["files"]["source.json"] = hashlib.sha256((run / "source.json").read_bytes()).hexdigest()
    tiny.write_json(run / "metrics.json", metrics)
    refused(f"run:{run}", "source.json: ", f"{name} must be")
    with pytest.raises(InputError, match=f"source.json .*{name} must be"):
        headstart.predict(run, digit_folder)
