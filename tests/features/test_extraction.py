"""The loop that fills a key folder: whole shards only, failures told, composition independent of what is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from torch import Tensor

from headstart.data.loading import plan_batches
from headstart.data.preprocessing import ImagePreprocessing, TextPreprocessing
from headstart.errors import DiskFullError
from headstart.features import Key, Store
from headstart.features.extraction import Computed, Output, compute_batches, fill, shard_sizes
from headstart.features.key_folder import KeyFolder

KEY = Key("weights", "preprocessing", "pooled", (("stem", "stem"),), "fp32")
DIGESTS = np.array([f"item{number}" for number in range(20)])
BATCHES = np.split(np.arange(20), 10)


def batches() -> Iterator[tuple[np.ndarray, dict[str, Tensor]]]:
    for positions in BATCHES:
        yield positions, {"x": torch.as_tensor(positions)[:, None].float()}


def double(inputs: dict[str, Tensor], worker: int) -> list[dict[str, Tensor]]:
    return [{"stage.000": inputs["x"] * 2}]


def read(key_folder: KeyFolder) -> list[float]:
    places = key_folder.find(DIGESTS)
    return [
        float(key_folder.tensor(shard, "stage.000")[row, 0]) if shard >= 0 else -1.0
        for shard, row in zip(places.shard.tolist(), places.row.tolist())
    ]


@given(st.integers(0, 50), st.integers(1, 9))
def test_shard_sizes_add_up(n_batches: int, batches_per_shard: int) -> None:
    sizes = shard_sizes(n_batches, batches_per_shard)
    assert sum(sizes) == n_batches
    assert all(size == batches_per_shard for size in sizes[:-1])
    assert all(0 < size <= batches_per_shard for size in sizes)


@pytest.mark.parametrize("n_workers", [1, 3])
def test_values_reach_the_shelf(tmp_path: Path, n_workers: int) -> None:
    key_folder = Store(tmp_path).open(KEY)
    done: list[int] = []
    told: list[Computed] = []
    computed = compute_batches(batches(), double, n_workers)
    output = Output(key_folder, shard_sizes(10, 4))
    fill([output], DIGESTS, computed, before_writing=told.append, advance=done.append)
    assert done == [2] * 10 and [first.positions.tolist() for first in told] == [[0, 1]]
    assert len(list(key_folder.path.glob("*.safetensors"))) == 3
    key_folder.refresh()
    assert read(key_folder) == [2.0 * number for number in range(20)]
    assert threading.active_count() == 1 or "headstart-writer" not in {t.name for t in threading.enumerate()}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_loop_leaves_whole_shards(tmp_path: Path, error: type[BaseException]) -> None:
    key_folder = Store(tmp_path).open(KEY)

    def stop_at_item_14(inputs: dict[str, Tensor], worker: int) -> list[dict[str, Tensor]]:
        if inputs["x"].max() >= 14:
            raise error
        return double(inputs, worker)

    with pytest.raises(error):
        fill(
            [Output(key_folder, shard_sizes(10, 4))], DIGESTS, compute_batches(batches(), stop_at_item_14, 1)
        )
    key_folder.refresh()
    assert read(key_folder) == [2.0 * number for number in range(8)] + [-1.0] * 12
    assert not list(key_folder.path.glob(".tmp*"))


def test_a_full_disk_ends_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key_folder = Store(tmp_path).open(KEY)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFullError):
        fill([Output(key_folder, shard_sizes(10, 1))], DIGESTS, compute_batches(batches(), double, 1))
    assert not list(key_folder.path.glob("*.safetensors")) and not list(key_folder.path.glob(".tmp*"))


def test_room_is_asked_for_before_the_second_batch(tmp_path: Path) -> None:
    key_folder = Store(tmp_path).open(KEY)
    seen: list[int] = []

    def refuse(first: Computed) -> None:
        raise DiskFullError("no room")

    def count(inputs: dict[str, Tensor], worker: int) -> list[dict[str, Tensor]]:
        seen.append(len(inputs["x"]))
        return double(inputs, worker)

    output = Output(key_folder, shard_sizes(10, 4))
    with pytest.raises(DiskFullError, match="no room"):
        fill([output], DIGESTS, compute_batches(batches(), count, 1), before_writing=refuse)
    assert len(seen) <= 3


WORDS = "a film of rare charm and wit that never once lets go its hold until the last frame".split()  # noqa: SIM905


def text_preprocessing() -> TextPreprocessing:
    """A tokenizer of whole words."""
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, **{word: 1 + n for n, word in enumerate(WORDS)}}, "[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    return TextPreprocessing(tokenizer_json=tokenizer.to_str(), max_length=64)


@given(
    lengths=st.lists(st.integers(1, 70), min_size=1, max_size=60),
    tokens=st.sampled_from([16, 64, 200]),
    gone=st.lists(st.booleans(), min_size=60, max_size=60),
    pictures=st.booleans(),
)
@settings(deadline=None)
def test_shards_do_not_depend_on_those_already_there(
    lengths: list[int], tokens: int, gone: list[bool], pictures: bool
) -> None:
    preprocessing = ImagePreprocessing() if pictures else text_preprocessing()
    items = [" ".join((WORDS * 4)[:length]) + f" {number}" for number, length in enumerate(lengths)]

    def plan(positions: np.ndarray) -> list[list[list[int]]]:
        chosen = [items[position] for position in positions]
        batches = plan_batches(chosen, preprocessing, batch_size=4, tokens_per_batch=tokens)
        named = iter([positions[batch].tolist() for batch in batches])
        return [[next(named) for _ in range(size)] for size in shard_sizes(len(batches), 3)]

    shards = plan(np.arange(len(items)))
    left = [shard for shard, is_gone in zip(shards, gone) if not is_gone]
    missing = np.array(sorted(item for shard in left for batch in shard for item in batch), dtype=np.int64)
    assert plan(missing) == left
