"""Weight files: read whole or refused with what is wrong."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from headstart.errors import SourceError
from headstart.sources.weights import (
    checked_header,
    load_tensors,
    read_weights,
    source_digest,
    tensor_names,
    weight_files,
)


class Runs:
    """An object whose unpickling would call a function."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("this must never be printed",))


def tensors() -> dict[str, torch.Tensor]:
    return {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.zeros(2)}


def test_a_safetensors_file_gives_its_tensors(tmp_path: Path) -> None:
    save_file(tensors(), tmp_path / "model.safetensors")
    assert weight_files(tmp_path) == (tmp_path / "model.safetensors",)
    assert torch.equal(read_weights(weight_files(tmp_path))["weight"], tensors()["weight"])
    assert sorted(tensor_names(weight_files(tmp_path))) == ["bias", "weight"]


@pytest.mark.parametrize("key", [None, "state_dict", "model"])
def test_a_checkpoint_gives_the_state_dict_inside(tmp_path: Path, key: str | None) -> None:
    parallel = {f"module.{name}": value for name, value in tensors().items()}
    torch.save({key: parallel, "epoch": 3} if key else parallel, tmp_path / "last.pth")
    found = read_weights(weight_files(tmp_path))
    assert sorted(found) == ["bias", "weight"]


def test_safetensors_go_before_a_pytorch_file(tmp_path: Path) -> None:
    save_file(tensors(), tmp_path / "model.safetensors")
    torch.save(tensors(), tmp_path / "pytorch_model.bin")
    assert weight_files(tmp_path) == (tmp_path / "model.safetensors",)


def test_several_unnamed_files_ask_for_one(tmp_path: Path) -> None:
    for name in ("a.pt", "b.pt"):
        torch.save(tensors(), tmp_path / name)
    with pytest.raises(SourceError, match=r"2 weight files \(a.pt, b.pt\)"):
        weight_files(tmp_path)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    index = '{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}'
    (tmp_path / "model.safetensors.index.json").write_text(index)
    save_file(tensors(), tmp_path / "model-1.safetensors")
    with pytest.raises(SourceError, match=r"model-2\.safetensors is missing"):
        weight_files(tmp_path)


def test_a_file_cut_in_half_tells_both_sizes(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"weight": torch.zeros(100, 100)}, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    expected = f"model.safetensors is cut short: expected {len(whole):,} bytes, found {len(whole) // 2:,}"
    for read in (read_weights, tensor_names):
        with pytest.raises(SourceError, match=expected):
            read([path])


@pytest.mark.parametrize("n_bytes", [0, 5, 20])
def test_a_file_cut_in_its_header_is_refused(tmp_path: Path, n_bytes: int) -> None:
    path = tmp_path / "model.safetensors"
    save_file(tensors(), path)
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(SourceError, match=r"model\.safetensors"):
        checked_header(path)


def test_a_header_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes((4).to_bytes(8, "little") + b"abcd")
    with pytest.raises(SourceError, match="its header is damaged"):
        checked_header(path)


def test_a_pytorch_file_cut_in_half_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save({"weight": torch.zeros(100, 100)}, path)
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(SourceError, match=r"model.pt cannot be read .*9,000 bytes"):
        read_weights([path])


def test_a_pickle_with_code_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"weight": torch.zeros(2), "more": Runs()}, tmp_path / "new.pt")
    (tmp_path / "old.pt").write_bytes(pickle.dumps(Runs()))
    for name in ("new.pt", "old.pt"):
        with pytest.raises(
            SourceError, match=rf"{name} is a pickle that holds code \(([\w.]+\.)?(safe_)?print\)"
        ):
            read_weights([tmp_path / name])
    assert "never" not in capsys.readouterr().out


def test_a_file_without_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "model.pt")
    with pytest.raises(SourceError, match="does not hold a state dict"):
        read_weights([tmp_path / "model.pt"])


def test_tensors_that_do_not_fit_are_counted_and_named() -> None:
    module = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    before = module[0].weight.clone()
    wrong = {
        "0.weight": torch.ones(2, 4),
        "0.bias": torch.ones(2),
        "1.weight": torch.ones(2, 2),
        "x": torch.ones(1),
    }
    with pytest.raises(SourceError) as caught:
        load_tensors(module, wrong, "here.pt")
    message = str(caught.value)
    assert "1 missing (1.bias)" in message
    assert "1 left over (x)" in message
    assert "1 of another shape (0.weight (2, 4) for (2, 3))" in message
    assert torch.equal(module[0].weight, before)


def test_heads_are_left_out_and_halves_are_cast() -> None:
    module = nn.Linear(3, 2)
    given = {"weight": torch.full((2, 3), 0.1).half(), "bias": torch.ones(2), "head.weight": torch.ones(9, 2)}
    load_tensors(module, given, "here.pt", heads=["head."])
    assert module.weight.dtype == torch.float32
    assert torch.equal(module.weight, torch.full((2, 3), 0.1).half().float())


def test_the_digest_follows_bytes_and_configuration(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(tensors(), path)
    first = source_digest([path], {"a": 1})
    assert first == source_digest([path], {"a": 1}) and len(first) == 64
    assert first != source_digest([path], {"a": 2})
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert first != source_digest([path], {"a": 1})
