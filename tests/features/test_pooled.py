"""Pooled features: what the network gives, in the order asked, computed once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_source import make_pictures, make_tiny_source

import headstart.features.pooled as pooled
import headstart.features.pooled_pass as pooled_pass
from headstart.data.loading import load_batches
from headstart.data.scanning import scan
from headstart.errors import DataError
from headstart.features import Store, extract_pooled
from headstart.features.pooled_pass import Request
from headstart.sources.source import Source

N_ITEMS = 40


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many items each call had to compute."""
    counts: list[int] = []
    run_pass = pooled.run_pass

    def count(request: Request, sources: Any, folders: Any, missing: np.ndarray, **rest: Any) -> Any:
        counts.append(len(missing))
        return run_pass(request, sources, folders, missing, **rest)

    monkeypatch.setattr(pooled, "run_pass", count)
    return counts


def live(source: Source, items: np.ndarray) -> list[np.ndarray]:
    """The vectors of each stage, computed plainly."""
    ((_, inputs),) = load_batches(items, source.preprocessing, [np.arange(len(items))], threads=1)
    with torch.no_grad():
        return [vector.numpy() for vector in source.backbone.pooled(inputs)]


def test_features_are_what_the_network_gives(store: Store, tiny_source: Source) -> None:
    items, digests = make_pictures(N_ITEMS)
    features = extract_pooled(tiny_source, items, digests, store, precision="fp32", batch_size=3)
    expected = live(tiny_source, items)
    assert features.stages == ("stem", "layer1", "layer2")
    assert features.widths == (8, 8, 16)
    assert len(features) == features.n_items == N_ITEMS
    for index, values in enumerate(expected):
        assert features.stage(index).dtype == np.float32
        np.testing.assert_allclose(features.stage(index), values, atol=1e-5)
    np.testing.assert_array_equal(
        features.stacked([0, -1]), np.hstack([features.stage(0), features.stage(2)])
    )
    chosen = np.array([7, 3, 3, 39])
    np.testing.assert_array_equal(features.take(chosen).stage(1), features.stage(1)[chosen])
    np.testing.assert_array_equal(np.concatenate(list(features.batches([1], 16))), features.stage(1))
    with pytest.raises(IndexError):
        features.stage(3)


def test_items_are_computed_once(store: Store, tiny_source: Source, counted: list[int]) -> None:
    items, digests = make_pictures(N_ITEMS)
    twice = np.concatenate([np.arange(10), np.arange(5)])
    first = extract_pooled(tiny_source, items[twice], digests[twice], store)
    np.testing.assert_array_equal(first.stage(2)[:5], first.stage(2)[10:])
    again = extract_pooled(tiny_source, items[twice], digests[twice], store)
    np.testing.assert_array_equal(first.stage(2), again.stage(2))
    more = extract_pooled(tiny_source, items[::-1], digests[::-1], store)
    np.testing.assert_array_equal(more.stage(0)[::-1][twice], first.stage(0))
    assert counted == [10, 30]


def test_nothing_stale_is_served(store: Store, tiny_source: Source, counted: list[int]) -> None:
    items, digests = make_pictures(4)
    first = extract_pooled(tiny_source, items, digests, store)
    other = extract_pooled(make_tiny_source(seed=1), items, digests, store)
    changed_items, changed_digests = make_pictures(4, seed=1)
    changed = extract_pooled(tiny_source, changed_items, changed_digests, store)
    assert counted == [4, 4, 4]
    assert not np.allclose(first.stage(2), other.stage(2))
    assert not np.allclose(first.stage(2), changed.stage(2))


def test_no_items_are_no_features(store: Store, tiny_source: Source) -> None:
    items, digests = make_pictures(0)
    features = extract_pooled(tiny_source, items, digests, store)
    assert features.n_items == 0 and features.stage(0).shape[0] == 0


def test_a_damaged_shard_is_computed_again(
    store: Store, tiny_source: Source, counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooled_pass, "_ITEMS_PER_SHARD", 16)
    items, digests = make_pictures(N_ITEMS)
    first = extract_pooled(tiny_source, items, digests, store, batch_size=2)
    expected = first.stage(2)
    before = {path.name: path.read_bytes() for path in first.key_folder.path.glob("*.safetensors")}
    assert len(before) == 3
    for path in list(first.key_folder.path.glob("*.safetensors"))[:2]:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    again = extract_pooled(tiny_source, items, digests, store, batch_size=2)
    np.testing.assert_array_equal(again.stage(2), expected)
    assert {path.name: path.read_bytes() for path in first.key_folder.path.glob("*.safetensors")} == before
    assert counted[0] == N_ITEMS and 0 < counted[1] < N_ITEMS


def test_bf16_is_near_fp32(store: Store, tiny_source: Source) -> None:
    items, digests = make_pictures(N_ITEMS)
    exact = extract_pooled(tiny_source, items, digests, store, precision="fp32")
    rounded = extract_pooled(tiny_source, items, digests, store, precision="bf16")
    assert not np.array_equal(exact.stage(2), rounded.stage(2))
    np.testing.assert_allclose(rounded.stage(2), exact.stage(2), atol=0.05)


def test_a_file_that_changes_between_scan_and_extraction_does_not_poison_the_store(
    tmp_path: Path, tiny_source: Source, store: Store
) -> None:
    pictures, _ = make_pictures(4)
    files = [tmp_path / f"{index}.png" for index in range(4)]
    for file, pixels in zip(files, pictures, strict=True):
        Image.fromarray(pixels).save(file)
    digests = scan(files, "image", threads=1).digests
    before = files[1].read_bytes()
    Image.fromarray(255 - pictures[1]).save(files[1])
    with pytest.raises(DataError, match=r"1\.png: its content changed"):
        extract_pooled(tiny_source, files, digests, store, threads=1)
    files[1].write_bytes(before)
    again = extract_pooled(tiny_source, files, digests, store, threads=1, precision="fp32")
    clean = extract_pooled(
        tiny_source, files, digests, Store(tmp_path / "clean"), threads=1, precision="fp32"
    )
    assert np.array_equal(again.stage(-1), clean.stage(-1))
