"""Weights are written whole and float32."""

from __future__ import annotations

import stat
from pathlib import Path

import torch
from safetensors.torch import load_file

from headstart.runs.weights import save_tensors


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
    read = load_file(tmp_path / "model.safetensors")
    assert all(torch.equal(read[name], tensor.to(read[name].dtype)) for name, tensor in tensors.items())
    assert read["half"].dtype == torch.float32
    assert read["count"].dtype == torch.int64
    (tmp_path / "plain").touch()
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("model.safetensors", "plain")]
    assert modes[0] == modes[1], "as readable as any other file"
