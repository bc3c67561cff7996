"""Weights are written whole, float32, and damage is named."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import torch

from headstart.errors import InputError
from headstart.runs.weights import read_tensors, save_tensors


def test_round_trip_of_shared_sliced_and_half_tensors(tmp_path: Path) -> None:
    base = torch.arange(12.0).reshape(3, 4)
    tensors = {
        "whole": base,
        "tied": base,
        "sliced": base[:, 1:3],
        "half": base.half(),
        "count": torch.tensor(3),
    }
    save_tensors(tmp_path / "model.safetensors", tensors)
    read = read_tensors(tmp_path / "model.safetensors")
    assert all(torch.equal(read[name], tensor.to(read[name].dtype)) for name, tensor in tensors.items())
    assert read["half"].dtype == torch.float32
    assert read["count"].dtype == torch.int64
    (tmp_path / "plain").touch()
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("model.safetensors", "plain")]
    assert modes[0] == modes[1], "as readable as any other file"


def test_absent_and_damaged_weights(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no weights"):
        read_tensors(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(InputError, match="damaged"):
        read_tensors(tmp_path / "model.safetensors")
