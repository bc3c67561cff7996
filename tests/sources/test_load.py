"""Source URIs: what each names, and the message where it names nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import tiny
from headstart.errors import SourceError
from headstart.sources import Source, build_network, default_source, load_source
from headstart.sources.find import split_uri


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("timm:resnet18.a1_in1k", ("timm", "resnet18.a1_in1k")),
        ("hf:a/b@main", ("hf", "a/b@main")),
        ("run:runs/xray", ("run", "runs/xray")),
        ("./folder", ("", "./folder")),
        ("./odd:name/folder", ("", "./odd:name/folder")),
        ("C:\\weights", ("", "C:\\weights")),
    ],
)
def test_schemes(uri: str, expected: tuple[str, str]) -> None:
    assert split_uri(uri) == expected


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("tim:resnet18", "Did you mean 'timm'"),
        ("timm:", "A source must be"),
        (" ", "A source must be named"),
        ("timm:resnet51", "no architecture 'resnet51'"),
        ("timm:resnet18.a9_in1k", "There are no weights 'timm:resnet18.a9_in1k'.*timm has resnet18"),
        ("resnet18", "write timm:resnet18"),
        ("me/bert", "write hf:me/bert"),
        ("./mine", "There is no source at mine. Did you mean 'mine2'"),
        ("run:mine", "There is no run at mine"),
        ("run:mine2", "is not a finished run"),
        ("mine2", "holds no weights"),
        ("mine2/readme.md", "is not a weight file"),
        ("bundled:leters", "no bundled source 'leters'. Did you mean 'letters'.*Available: letters"),
    ],
)
def test_a_source_that_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine2").mkdir()
    (tmp_path / "mine2" / "readme.md").write_text("")
    with pytest.raises(SourceError, match=message):
        load_source(uri)


def test_defaults_are_well_known() -> None:
    assert default_source("image") == "timm:resnet50.a1_in1k"
    assert default_source("text") == "hf:sentence-transformers/all-MiniLM-L6-v2"
    assert default_source("audio") == "hf:facebook/wav2vec2-base"


def test_the_bundled_source_is_there_and_needs_no_arch() -> None:
    source = load_source("bundled:letters")
    assert source.modality == "image"
    with torch.no_grad():
        assert source.network(torch.zeros(2, 3, 8, 8)).shape[0] == 2
        assert torch.allclose(
            source.backbone({"pixels": torch.zeros(1, 3, 8, 8)}), source.network(torch.zeros(1, 3, 8, 8))
        )


NET = """
from torch import nn


class Net(nn.Module):
    sampling_rate = 8000
    stages = ["one", "two"]

    def __init__(self, config):
        super().__init__()
        self.one = nn.Linear(100, 4)
        self.two = nn.Linear(4, 5)

    def forward(self, waveform):
        return self.two(self.one(waveform.unfold(1, 100, 100)))
"""


def inputs_of(source: Source) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(3)
    if source.modality == "image":
        return (torch.randn(2, 3, 64, 64),)
    if source.modality == "text":
        return torch.randint(5, 18, (2, 7)), torch.ones(2, 7, dtype=torch.int64)
    return torch.randn(2, 8000), torch.tensor([8000, 5000])


def save_run(folder: Path, source: Source, prefix: str, head: str) -> None:
    """A finished run as far as a source of it goes: configuration, weights under a prefix, a head beside."""
    tensors = {
        prefix + (name if prefix == "network." else name.removeprefix("model.")): value.clone() + 0.01
        for name, value in source.network.state_dict().items()
        if value.is_floating_point()
    }
    folder.mkdir()
    save_file({**tensors, head: torch.ones(3, 8)}, folder / "model.safetensors")
    tiny.write_json(folder / "source.json", json.loads(json.dumps(dict(source.config))))
    tiny.write_json(folder / "metrics.json", {"format_version": 1})


@pytest.mark.parametrize("kind", ["timm", "text", "audio"])
@pytest.mark.parametrize("named", ["library", "network."])
def test_a_run_is_a_source(tmp_path: Path, kind: str, named: str) -> None:
    save = {"timm": tiny.save_timm, "text": tiny.save_text, "audio": tiny.save_audio}[kind]
    save(tmp_path / "first", *(["wav2vec2"] if kind == "audio" else []))
    source = load_source(str(tmp_path / "first"))
    prefix = (
        {"timm": "timm_model.", "text": "bert.", "audio": "wav2vec2."}[kind] if named == "library" else named
    )
    save_run(tmp_path / "run", source, prefix, "classifier.weight")
    again = load_source(f"run:{tmp_path / 'run'}")
    assert (again.modality, again.stages) == (source.modality, source.stages)
    assert again.preprocessing == source.preprocessing
    assert again.digest != source.digest
    moved = {
        name: value + 0.01 for name, value in source.network.state_dict().items() if value.is_floating_point()
    }
    for name, value in moved.items():
        assert torch.equal(again.network.state_dict()[name], value)
    rebuilt = build_network(again.config)
    rebuilt.load_state_dict(again.network.state_dict())
    with torch.no_grad():
        assert torch.equal(rebuilt(*inputs_of(again)), again.network(*inputs_of(again)))
    assert load_source(str(tmp_path / "run")).digest == again.digest


def test_a_run_of_ones_own_network_wants_its_arch_again(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    state = {"one.weight": torch.ones(4, 100), "one.bias": torch.ones(4), "two.weight": torch.ones(5, 4)}
    torch.save({**state, "two.bias": torch.ones(5)}, tmp_path / "net.pt")
    arch = f"{tmp_path / 'net.py'}:Net"
    source = load_source(str(tmp_path / "net.pt"), arch=arch)
    save_run(tmp_path / "run", source, "network.", "head.weight")
    with pytest.raises(SourceError, match="its code is run only if you name it again"):
        load_source(f"run:{tmp_path / 'run'}")
    assert load_source(f"run:{tmp_path / 'run'}", arch=arch).stages == source.stages


def test_an_unknown_library_is_refused() -> None:
    with pytest.raises(SourceError, match="library must be one of custom, timm, transformers"):
        build_network({"library": "keras"})


def test_a_file_cut_in_half_is_one_error(tmp_path: Path) -> None:
    for save in (tiny.save_timm, tiny.save_text):
        save(tmp_path)
        path = tmp_path / "model.safetensors"
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(SourceError, match=f"expected {len(whole):,} bytes, found {len(whole) // 2:,}"):
            load_source(str(tmp_path))
        (tmp_path / "config.json").unlink()


@pytest.mark.parametrize("name", ["modality", "architecture", "preprocessing"])
@pytest.mark.parametrize("value", [None, 3, ["a"]])
def test_a_run_with_a_damaged_source_json_is_refused_by_its_file(
    tmp_path: Path, name: str, value: object
) -> None:
    config = {"modality": "image", "architecture": "resnet10t", "preprocessing": {"modality": "image"}}
    (tmp_path / "source.json").write_text(json.dumps({**config, name: value}))
    tiny.write_json(tmp_path / "metrics.json", {"format_version": 1})  # of an older version: without digests
    with pytest.raises(SourceError, match=f"source.json is damaged: {name} must"):
        load_source(f"run:{tmp_path}")
