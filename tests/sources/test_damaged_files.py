"""A source whose files are damaged, of wrong types or lead out of its folder ends with one message that names it."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import tiny
from headstart.errors import HeadstartError, SourceError
from headstart.sources import load_source
from headstart.sources.local import local_sources
from headstart.sources.weights import read_weights

WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    "x",
    "",
    [],
    [1],
    {},
    {"a": 1},
    "../x",
    [None],
    float("nan"),
)


def sentence_source(folder: Path) -> Path:
    """A folder of sentence-transformers: BERT, pooling, a dense step."""
    tiny.save_text(folder)
    steps = [{"type": "x.Transformer", "path": ""}, {"type": "x.Pooling", "path": "1_Pooling"}]
    tiny.write_json(folder / "modules.json", [*steps, {"type": "x.Dense", "path": "2_Dense"}])
    tiny.write_json(folder / "1_Pooling" / "config.json", {"pooling_mode_mean_tokens": True})
    dense = {"in_features": 32, "out_features": 8, "bias": True, "activation_function": "torch.nn.Tanh"}
    tiny.write_json(folder / "2_Dense" / "config.json", dense)
    weights = {"linear.weight": torch.randn(8, 32), "linear.bias": torch.randn(8)}
    save_file(weights, folder / "2_Dense" / "model.safetensors")
    tiny.write_json(folder / "sentence_bert_config.json", {"max_seq_length": 30, "do_lower_case": False})
    prompts = {"prompts": {"q": "query "}, "default_prompt_name": "q"}
    tiny.write_json(folder / "config_sentence_transformers.json", prompts)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One source of each kind."""
    root = tmp_path_factory.mktemp("sources")
    tiny.save_timm(root / "timm")
    vit = {**tiny.sizes(), "image_size": 32, "patch_size": 8}
    tiny.save_vision(root / "vision", "vit", **vit)
    tiny.save_audio(root / "audio", "wav2vec2")
    sentence_source(root / "text")
    tiny.save_timm(root / "pickle")
    torch.save(load_file(root / "pickle" / "model.safetensors"), root / "pickle" / "pytorch_model.bin")
    (root / "pickle" / "model.safetensors").unlink()
    return {path.name: path for path in root.iterdir()}


def damaged(kind: str, content: bytes, random_: random.Random) -> bytes:
    if kind == "cut":
        return content[: random_.randrange(len(content))]
    changed = bytearray(content)
    for _ in range(3):  # most of it near the start, where headers lie
        at = random_.randrange(len(changed) if random_.random() < 0.3 else min(len(changed), 1000))
        changed[at] = random_.randrange(256)
    return bytes(changed)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from places(part, (*path, key))


def one_wrong_value(path: Path, random_: random.Random) -> str:
    """Put a value of another type somewhere into a JSON file."""
    content = tiny.read_json(path)
    *way, last = random_.choice(list(places(content)))
    part = content
    for key in way:
        part = part[key]
    part[last] = random_.choice(WRONG)
    tiny.write_json(path, content)
    return f"{path.name} {way} {last}: {part[last]!r}"


@pytest.mark.parametrize("kind", ["timm", "vision", "audio", "text", "pickle"])
def test_no_damage_is_an_internal_error(folders: dict[str, Path], kind: str) -> None:
    folder, random_ = folders[kind], random.Random(kind)
    names = sorted(path for path in folder.rglob("*") if path.is_file())
    for _ in range(12):
        path = random_.choice(names)
        before = path.read_bytes()
        try:
            if path.suffix == ".json" and random_.random() < 0.7:
                told = one_wrong_value(path, random_)
            else:
                told = path.name
                path.write_bytes(damaged(random_.choice(["cut", "bytes"]), before, random_))
            try:
                load_source(str(folder))
            except HeadstartError:
                pass
            except Exception as error:
                raise AssertionError(told) from error
        finally:
            path.write_bytes(before)


@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
def test_random_damage_of_a_small_weight_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    tensors = {"a.weight": torch.randn(2, 3)}
    save_file(tensors, path) if name.endswith("safetensors") else torch.save(tensors, path)
    content = path.read_bytes()
    random_ = random.Random(0)
    for _ in range(150):
        path.write_bytes(damaged(random_.choice(["cut", "bytes"]), content, random_))
        try:
            read_weights([path])
        except SourceError as error:
            assert name in str(error)


@pytest.mark.parametrize("offsets", [[5, 2], ["0", "24"], [0], [-8, 24], [0, 10**30], [0.5, 24], None, 7])
def test_odd_offsets_are_refused(tmp_path: Path, offsets: Any) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": offsets}}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(24))
    with pytest.raises(SourceError, match=r"model\.safetensors"):
        read_weights([path])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("kind", ["timm", "text"])
def test_weights_that_are_no_numbers_are_refused_by_name(
    folders: dict[str, Path], kind: str, value: float
) -> None:
    path = folders[kind] / "model.safetensors"
    before = path.read_bytes()
    tensors = load_file(path)
    name = next(name for name in tensors if name.endswith("weight") and tensors[name].dim() > 1)
    tensors[name].view(-1)[3] = value
    save_file(tensors, path, metadata={"format": "pt"})
    try:
        with pytest.raises(SourceError, match=f"1 of .* values of the tensor '{name}' are not finite"):
            load_source(str(folders[kind]))
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize(
    "name", ["../secret.safetensors", "/etc/passwd", "a/../../b", "..\\secret", "C:\\x", 5, None]
)
def test_an_index_cannot_lead_out_of_its_folder(tmp_path: Path, name: Any) -> None:
    tiny.save_text(tmp_path / "mine")
    (tmp_path / "mine" / "model.safetensors").rename(tmp_path / "secret.safetensors")
    tiny.write_json(tmp_path / "mine" / "model.safetensors.index.json", {"weight_map": {"a": name}})
    with pytest.raises(SourceError, match=r"index.json names .*does not lie in its folder"):
        load_source(str(tmp_path / "mine"))


@pytest.mark.parametrize("content", ['{"weight_map": {"a": "x', "[]", "{}", '{"weight_map": []}', "\x00"])
def test_a_damaged_index_is_named(tmp_path: Path, content: str) -> None:
    tiny.save_text(tmp_path / "mine")
    (tmp_path / "mine" / "model.safetensors").unlink()
    (tmp_path / "mine" / "model.safetensors.index.json").write_text(content)
    with pytest.raises(SourceError, match=r"index\.json"):
        load_source(str(tmp_path / "mine"))
    assert local_sources(root=tmp_path)  # a look around skips it


@pytest.mark.parametrize("step", ["Pooling", "Dense"])
def test_a_step_cannot_lead_out_of_its_folder(tmp_path: Path, step: str) -> None:
    sentence_source(tmp_path / "mine")
    tiny.write_json(tmp_path / "mine" / "modules.json", [{"type": f"x.{step}", "path": "../1_Pooling"}])
    with pytest.raises(SourceError, match=r"modules.json names '../1_Pooling'"):
        load_source(str(tmp_path / "mine"))


def test_an_unreadable_source_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("the superuser can read everything")
    tiny.save_timm(tmp_path / "mine")
    for path, mode in ((tmp_path / "mine" / "config.json", 0o644), (tmp_path / "mine", 0o755)):
        path.chmod(0)
        try:
            with pytest.raises(SourceError, match=r"PermissionError|permission"):
                load_source(str(tmp_path / "mine"))
        finally:
            path.chmod(mode)


@pytest.mark.parametrize(
    "uri", ["~nobody-of-this-name/x", "x" * 5000, "a\x00b", "run:a\x00b", "run:~no-such-user/x"]
)
def test_a_path_that_cannot_be_is_refused(uri: str) -> None:
    with pytest.raises(SourceError):
        load_source(uri)
