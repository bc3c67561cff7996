"""The loop that fills a shelf: whole shards only, failures told, composition independent of what is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from headstart.errors import DiskFullError
from headstart.features import Key, Store
from headstart.features.extraction import fill, shard_sizes
from headstart.features.shelf import Shelf

KEY = Key("weights", "preprocessing", "pooled", (("stem", "stem"),), "fp32")
DIGESTS = np.array([f"item{number}" for number in range(20)])
BATCHES = np.split(np.arange(20), 10)


def batches() -> Iterator[tuple[np.ndarray, dict[str, Tensor]]]:
    for positions in BATCHES:
        yield positions, {"x": torch.as_tensor(positions)[:, None].float()}


def double(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"values": inputs["x"] * 2}


def read(shelf: Shelf) -> list[float]:
    places = shelf.find(DIGESTS)
    return [
        float(shelf.tensor(shard, "values")[row, 0]) if shard >= 0 else -1.0
        for shard, row in zip(places.shard.tolist(), places.row.tolist())
    ]


@given(st.integers(0, 50), st.integers(1, 9))
def test_shard_sizes_add_up(n_batches: int, batches_per_shard: int) -> None:
    sizes = shard_sizes(n_batches, batches_per_shard)
    assert sum(sizes) == n_batches
    assert all(size == batches_per_shard for size in sizes[:-1])
    assert all(0 < size <= batches_per_shard for size in sizes)


def test_values_reach_the_shelf(tmp_path: Path) -> None:
    shelf = Store(tmp_path).open(KEY)
    done: list[int] = []
    told: list[tuple[int, int]] = []
    fill(
        shelf,
        DIGESTS,
        batches(),
        shard_sizes(10, 4),
        double,
        advance=done.append,
        before_writing=lambda n_items, n_bytes: told.append((n_items, n_bytes)),
    )
    assert (done, told) == ([2] * 10, [(2, 8)])
    assert len(list(shelf.folder.glob("*.safetensors"))) == 3
    shelf.refresh()
    assert read(shelf) == [2.0 * number for number in range(20)]
    assert threading.active_count() == 1 or "headstart-writer" not in {t.name for t in threading.enumerate()}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_loop_leaves_whole_shards(tmp_path: Path, error: type[BaseException]) -> None:
    shelf = Store(tmp_path).open(KEY)

    def stop_at_item_14(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        if inputs["x"].max() >= 14:
            raise error
        return double(inputs)

    with pytest.raises(error):
        fill(shelf, DIGESTS, batches(), shard_sizes(10, 4), stop_at_item_14)
    shelf.refresh()
    assert read(shelf) == [2.0 * number for number in range(8)] + [-1.0] * 12
    assert not list(shelf.folder.glob(".tmp*"))


def test_a_full_disk_ends_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Store(tmp_path).open(KEY)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFullError):
        fill(shelf, DIGESTS, batches(), shard_sizes(10, 1), double)
    assert not list(shelf.folder.glob("*.safetensors")) and not list(shelf.folder.glob(".tmp*"))


def test_room_is_asked_for_before_the_second_batch(tmp_path: Path) -> None:
    shelf = Store(tmp_path).open(KEY)
    seen: list[int] = []

    def refuse(n_items: int, n_bytes: int) -> None:
        raise DiskFullError("no room")

    def count(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        seen.append(len(inputs["x"]))
        return double(inputs)

    with pytest.raises(DiskFullError, match="no room"):
        fill(shelf, DIGESTS, batches(), shard_sizes(10, 4), count, before_writing=refuse)
    assert seen == [2]
