"""One's own network by --arch: only the named file runs, and what it gives becomes one vector an item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import tiny
from headstart.data.preprocessing import AudioPreprocessing, ImagePreprocessing, TextPreprocessing
from headstart.errors import SourceError
from headstart.sources import load_source

CODE = """
import torch
from torch import nn


class Pictures(nn.Module):
    stages = {"first": "one", "second": "two"}

    def __init__(self, config):
        super().__init__()
        self.one = nn.Conv2d(3, config["width"], 3, padding=1)
        self.two = nn.Conv2d(config["width"], 6, 3, padding=1)

    def forward(self, pixels):
        return self.two(torch.relu(self.one(pixels)))


class Sounds(nn.Module):
    sampling_rate = 8000
    stages = ["one", "two"]

    def __init__(self, config):
        super().__init__()
        self.one = nn.Conv1d(1, 4, 80, 80)
        self.two = nn.Conv1d(4, 5, 1)

    def forward(self, waveform):
        return self.two(torch.relu(self.one(waveform[:, None]))).transpose(1, 2)


class Words(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.table = nn.Embedding(20, 8)
        self.layers = nn.ModuleList([nn.Linear(8, 8), nn.Linear(8, 8)])

    def forward(self, input_ids, attention_mask):
        hidden = self.table(input_ids)
        for layer in self.layers:
            hidden = torch.relu(layer(hidden))
        return {"hidden": hidden}


class Broken(nn.Module):
    def __init__(self, config):
        raise ValueError("no width")


class Silent(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.one = nn.Linear(2, 2)

    def forward(self, what):
        return what
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A file with classes, and one folder of weights for each."""
    (tmp_path / "own.py").write_text(CODE)
    scope: dict[str, Any] = {}
    exec(CODE, scope)
    torch.manual_seed(0)
    for name in ("Pictures", "Sounds", "Words", "Silent"):
        (tmp_path / name).mkdir()
        save_file(scope[name]({"width": 4}).state_dict(), tmp_path / name / "model.safetensors")
    pictures = {"width": 4, "input_size": [3, 16, 16], "mean": [0.5], "std": [0.2], "license": "MIT"}
    tiny.write_json(tmp_path / "Pictures" / "config.json", pictures)
    tiny.save_tokenizer(tmp_path / "Words")
    return tmp_path


def test_maps_are_averaged_and_stages_named(own: Path) -> None:
    source = load_source(str(own / "Pictures"), arch=f"{own / 'own.py'}:Pictures")
    pixels = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        maps = source.network.get_submodule("model")(pixels)
        assert torch.allclose(source.network(pixels), maps.mean((2, 3)))
    assert source.stages == {"first": "model.one", "second": "model.two"}
    own_values = ImagePreprocessing((16, 16), (0.5, 0.5, 0.5), (0.2, 0.2, 0.2), "bilinear", 1.0)
    assert source.preprocessing == own_values
    assert source.provenance.library == "custom"
    assert source.provenance.licence == "MIT"


def test_frames_are_averaged_over_the_clips_own(own: Path) -> None:
    source = load_source(str(own / "Sounds"), arch=f"{own / 'own.py'}:Sounds")
    assert source.preprocessing == AudioPreprocessing(rate_hz=8000)
    waveform = torch.randn(2, 8000)
    with torch.no_grad():
        frames = source.network.get_submodule("model")(waveform)
        found = source.network(waveform, torch.tensor([8000, 4000]))
    assert torch.allclose(found[0], frames[0].mean(0), atol=1e-6)
    assert torch.allclose(found[1], frames[1, :50].mean(0), atol=1e-6)


def test_tokens_are_averaged_over_the_mask_and_stages_found(own: Path) -> None:
    source = load_source(str(own / "Words"), arch=f"{own / 'own.py'}:Words")
    assert isinstance(source.preprocessing, TextPreprocessing)
    assert list(source.stages) == ["stem", "layers.0", "layers.1"]
    ids, mask = torch.arange(8).reshape(2, 4), torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0]])
    with torch.no_grad():
        hidden = source.network.get_submodule("model")(ids, mask)["hidden"]
        assert torch.allclose(source.network(ids, mask)[1], hidden[1, 0])


def test_the_digest_does_not_depend_on_where_the_file_lies(own: Path) -> None:
    first = load_source(str(own / "Sounds"), arch=f"{own / 'own.py'}:Sounds")
    (own / "moved.py").write_text(CODE)
    assert load_source(str(own / "Sounds"), arch=f"{own / 'moved.py'}:Sounds").digest == first.digest
    (own / "moved.py").write_text(CODE.replace("relu", "tanh"))
    assert load_source(str(own / "Sounds"), arch=f"{own / 'moved.py'}:Sounds").digest != first.digest


@pytest.mark.parametrize(
    ("arch", "message"),
    [
        ("nowhere.py:Pictures", r"nowhere\.py, which does not exist"),
        ("own.py:Picture", "has no network class 'Picture'. Did you mean 'Pictures'"),
        ("own.py:zzz", "It has Pictures, Sounds, Words"),
        ("own.py:", "must be FILE:Class"),
        ("no_such_module:Net", "cannot be imported"),
        ("own.py:Broken", "cannot be built from its configuration: ValueError: no width"),
        ("own.py:Silent", "does not name its modality"),
        ("bad.py:Net", r"bad\.py cannot be run: ZeroDivisionError"),
        ("own.py:Sounds", r"do not fit Sounds: tensors"),
    ],
)
def test_what_is_wrong_with_the_architecture_is_told(
    own: Path, arch: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own)
    (own / "bad.py").write_text("1 / 0")
    with pytest.raises(SourceError, match=message):
        load_source("Words", arch=arch, modality="image" if "Broken" in arch else None)


@pytest.mark.parametrize(
    ("modality", "message"),
    [
        ("image", "put input_size, mean and std"),
        ("audio", "sampling_rate"),
        ("text", "put tokenizer.json beside"),
    ],
)
def test_preprocessing_must_be_told(own: Path, modality: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        load_source(str(own / "Silent"), arch=f"{own / 'own.py'}:Silent", modality=modality)


def test_a_classifier_beside_the_network_is_left_out_and_nothing_else(own: Path) -> None:
    arch = f"{own / 'own.py'}:Sounds"
    source = load_source(str(own / "Sounds"), arch=arch)
    tensors = dict(source.network.get_submodule("model").state_dict())
    save_file({**tensors, "fc.weight": torch.ones(3, 5)}, own / "Sounds" / "model.safetensors")
    assert load_source(str(own / "Sounds"), arch=arch).stages == source.stages
    save_file({**tensors, "three.weight": torch.ones(3, 5)}, own / "Sounds" / "model.safetensors")
    with pytest.raises(SourceError, match=r"1 left over \(three\.weight\)"):
        load_source(str(own / "Sounds"), arch=arch)


def test_a_module_can_be_named(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(own))
    (own / "my_networks.py").write_text(CODE)
    assert load_source(str(own / "Sounds"), arch="my_networks:Sounds").modality == "audio"
