"""Shard files: what is written is read back, in the same memory order, and damage is seen."""

from __future__ import annotations

import errno
from pathlib import Path

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from safetensors.torch import load_file

from headstart.features.shards import (
    TEMPORARY,
    DamagedShard,
    map_tensor,
    memory_order,
    read_layout,
    verify_shard,
    write_shard,
)

DTYPES = [torch.float32, torch.bfloat16, torch.int64, torch.bool, torch.uint8]


def random_tensor(shape: list[int], dtype: torch.dtype, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(0, 100, shape, generator=generator)
    return (values % 2 == 0) if dtype is torch.bool else values.to(dtype)


@given(
    shapes=st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=4), min_size=1, max_size=4),
    dtypes=st.lists(st.sampled_from(DTYPES), min_size=4, max_size=4),
    n_parts=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip(
    tmp_path: Path, shapes: list[list[int]], dtypes: list[torch.dtype], n_parts: int, seed: int
) -> None:
    tensors = {
        f"t{number}": [random_tensor(shape, dtype, seed + part) for part in range(n_parts)]
        for number, (shape, dtype) in enumerate(zip(shapes, dtypes))
    }
    path = write_shard(tmp_path, "abc", tensors)
    assert verify_shard(path)
    layout = read_layout(path)
    for name, parts in tensors.items():
        assert torch.equal(map_tensor(path, layout[name]), torch.cat(parts))


def test_other_readers_open_it(tmp_path: Path) -> None:
    values = torch.randn(3, 5)
    mask = torch.tensor([True, False, True])
    path = write_shard(tmp_path, "abc", {"values": [values], "mask": [mask]})
    read = load_file(path)
    assert torch.equal(read["values"], values)
    assert torch.equal(read["mask"], mask)


def test_memory_order_is_kept(tmp_path: Path) -> None:
    values = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    path = write_shard(tmp_path, "abc", {"values": [values, values]})
    read = map_tensor(path, read_layout(path)["values"])
    assert read.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(read, torch.cat([values, values]))
    assert memory_order(torch.randn(2, 3, 4)) == (0, 1, 2)
    assert memory_order(torch.randn(2, 3, 4).transpose(1, 2)) == (0, 2, 1)


def test_same_tensors_same_bytes(tmp_path: Path) -> None:
    values = {"b": [torch.ones(3, 2)], "a": [torch.zeros(3, 2, dtype=torch.int64)]}
    one = write_shard(tmp_path, "one", values)
    two = write_shard(tmp_path, "two", dict(reversed(values.items())))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("at", [0, 3, 9, 60, -1, -200])
def test_flipped_byte_is_seen(tmp_path: Path, at: int) -> None:
    path = write_shard(tmp_path, "abc", {"values": [torch.randn(10, 30)]})
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert not verify_shard(path)


def test_cut_and_foreign_files_are_damaged(tmp_path: Path) -> None:
    path = write_shard(tmp_path, "abc", {"values": [torch.randn(10, 30)]})
    data = path.read_bytes()
    for damaged in (b"", data[:5], data[:40], data[:-1], b"\xff" * 300, (2).to_bytes(8, "little") + b"{}"):
        path.write_bytes(damaged)
        with pytest.raises(DamagedShard):
            read_layout(path)
        assert not verify_shard(path)


def test_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_shard(tmp_path, "abc", {"values": [torch.randn(10, 30)]})
    assert not list(tmp_path.glob(f"{TEMPORARY}*"))
    assert not list(tmp_path.iterdir())
