"""Several sources over the same items: one decoding for those of equal preprocessing, each as if it were alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_source import SIZE, TinyNet, make_pictures, make_tiny_source
from torch import Tensor

import headstart.data.loading as loading
import headstart.features.pooled_pass as pooled_pass
from headstart.data.items import ItemView
from headstart.data.preprocessing import ImagePreprocessing
from headstart.errors import DataError, HeadstartError, StoreError
from headstart.features import Extracted, Store, extract_pooled, extract_pooled_of_many
from headstart.sources.source import Source

N_ITEMS = 40
OPTIONS: dict[str, Any] = {"precision": "fp32", "device": "cpu", "threads": 2, "batch_size": 4}
SMALLER = ImagePreprocessing(size=(SIZE - 2, SIZE - 2), crop_pct=1.0)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two batches in a shard."""
    monkeypatch.setattr(pooled_pass, "_ITEMS_PER_SHARD", 8)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each picture that was decoded."""
    counts: list[int] = []
    decode = loading.decode_pixels

    def count(*arguments: Any, **options: Any) -> np.ndarray:
        counts.append(1)
        return decode(*arguments, **options)

    monkeypatch.setattr(loading, "decode_pixels", count)
    return counts


def of_many(sources: list[Source], store: Store, n_items: int = N_ITEMS) -> list[Extracted]:
    items, digests = make_pictures(n_items)
    return list(extract_pooled_of_many(sources, items, digests, store, **OPTIONS))


def files(store: Store) -> dict[str, bytes]:
    return {
        str(path.relative_to(store.root)): path.read_bytes() for path in store.root.rglob("*.safetensors")
    }


def failing(seed: int, fail: Callable[[Tensor, int], Tensor]) -> Source:
    """A source whose forward passes on real batches its own output and the number of the batch to `fail`."""
    source = make_tiny_source(seed)

    class Failing(TinyNet):
        n_done = 0

        def forward(self, pixels: Tensor) -> Tensor:
            out = super().forward(pixels)
            if not torch.is_inference_mode_enabled() or len(pixels) > 4:  # a look at the network, made up
                return out
            Failing.n_done += 1
            return fail(out, Failing.n_done)

    source.network.__class__ = Failing
    return replace(source, digest=f"failing-{seed}")


def test_each_source_has_the_values_and_the_files_that_it_has_alone(
    tmp_path: Path, decoded: list[int]
) -> None:
    sources = [make_tiny_source(0), replace(make_tiny_source(1), preprocessing=SMALLER), make_tiny_source(2)]
    together, alone = Store(tmp_path / "together"), Store(tmp_path / "alone")
    found = of_many(sources, together)
    assert len(decoded) == 2 * N_ITEMS, "once for each preprocessing"
    assert [each.number for each in found] == [0, 2, 1], "pass by pass"
    items, digests = make_pictures(N_ITEMS)
    for each in found:
        by_itself = extract_pooled(sources[each.number], items, digests, alone, **OPTIONS)
        for stage in range(3):
            np.testing.assert_array_equal(each.result().stage(stage), by_itself.stage(stage))
    assert len(files(together)) == 3 * 5 and files(together) == files(alone)


def test_what_is_stored_is_not_computed_again(tmp_path: Path, decoded: list[int]) -> None:
    sources = [make_tiny_source(seed) for seed in range(3)]
    store = Store(tmp_path)
    items, digests = make_pictures(N_ITEMS)
    extract_pooled(sources[1], items[:16], digests[:16], store, **OPTIONS)
    decoded.clear()
    assert [each.result().n_items for each in of_many(sources, store)] == [N_ITEMS] * 3
    assert len(decoded) == N_ITEMS + N_ITEMS - 16, "the second source lacks other items than the two others"
    decoded.clear()
    assert len(of_many(sources, store)) == 3 and not decoded


def test_equal_sources_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[str] = []
    prepare = pooled_pass.inference_network

    def count(source: Source, setting: Any) -> Any:
        prepared.append(source.uri)
        return prepare(source, setting)

    monkeypatch.setattr(pooled_pass, "inference_network", count)
    found = of_many([make_tiny_source(0), replace(make_tiny_source(0), uri="again")], Store(tmp_path))
    assert prepared == ["tiny"]
    np.testing.assert_array_equal(found[0].result().stage(-1), found[1].result().stage(-1))


def raised(out: Tensor, number: int) -> Tensor:
    if number > 12:
        raise ValueError("the layer has lost its way")
    return out


def not_finite(out: Tensor, number: int) -> Tensor:
    return out / 0 if number > 12 else out


def out_of_memory(out: Tensor, number: int) -> Tensor:
    if number > 12:
        raise torch.OutOfMemoryError("CUDA out of memory.")
    return out


@pytest.mark.parametrize(
    ("fail", "kind", "reason"),
    [
        (raised, ValueError, "the layer has lost its way"),
        (not_finite, DataError, "the features of tiny are not finite for one of 4 items.*--precision fp32"),
        (out_of_memory, HeadstartError, "out of memory with one item at a time"),
    ],
)
def test_a_source_that_fails_in_the_middle_does_not_stop_the_others(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fail: Callable[[Tensor, int], Tensor],
    kind: type[Exception],
    reason: str,
) -> None:
    monkeypatch.setitem(OPTIONS, "threads", 1)
    bad = failing(5, fail)
    sources = [make_tiny_source(0), bad, make_tiny_source(1)]
    store, alone = Store(tmp_path / "together"), Store(tmp_path / "alone")
    found = of_many(sources, store, 80)
    with pytest.raises(kind, match=reason):
        found[1].result()
    of_many([sources[0], sources[2]], alone, 80)
    (folder,) = {name.split("/")[0] for name in files(store)} - {name.split("/")[0] for name in files(alone)}
    n_kept = len([name for name in files(store) if name.startswith(folder)])
    assert 1 <= n_kept < 10, "the shards before the failure are kept"
    rest = {name: content for name, content in files(store).items() if not name.startswith(folder)}
    assert rest == files(alone)
    with pytest.raises(kind, match=reason):
        items, digests = make_pictures(160)
        extract_pooled(bad, items, digests, Store(tmp_path / "bad alone"), **OPTIONS)


def test_a_network_that_cannot_be_prepared_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = pooled_pass.inference_network

    def refuse(source: Source, setting: Any) -> Any:
        if source.uri == "bad":
            raise RuntimeError("no kernel for this layer")
        return prepare(source, setting)

    monkeypatch.setattr(pooled_pass, "inference_network", refuse)
    bad = replace(make_tiny_source(1), uri="bad")
    found = of_many([bad, make_tiny_source(0)], Store(tmp_path))
    assert str(found[0].failure) == "no kernel for this layer" and found[1].result().n_items == N_ITEMS
    (alone,) = of_many([bad], Store(tmp_path / "alone"))
    assert str(alone.failure) == "no kernel for this layer"


def test_after_an_interrupt_whole_shards_are_kept_and_the_rest_is_computed_later(
    tmp_path: Path, decoded: list[int]
) -> None:
    pictures, digests = make_pictures(N_ITEMS)
    interrupted = [True]

    def fetch(number: int) -> np.ndarray:
        if number == 30 and interrupted[0]:
            raise KeyboardInterrupt
        return pictures[number]

    items = ItemView([np.arange(N_ITEMS)], wrap=fetch)
    sources = [make_tiny_source(seed) for seed in range(2)]
    store = Store(tmp_path / "interrupted")
    with pytest.raises(KeyboardInterrupt):
        list(extract_pooled_of_many(sources, items, digests, store, **OPTIONS))
    kept = files(store)
    assert 2 <= len(kept) < 10 and not list(store.root.rglob(".tmp*"))
    interrupted[0] = False
    decoded.clear()
    found = list(extract_pooled_of_many(sources, items, digests, store, **OPTIONS))
    assert [each.failure for each in found] == [None, None]
    assert len(decoded) == N_ITEMS - 8 * len(kept) // 2
    of_many(sources, Store(tmp_path / "alone"))
    assert files(store) == files(Store(tmp_path / "alone"))


def test_room_is_made_for_all_sources_of_a_pass_together(tmp_path: Path) -> None:
    sources = [make_tiny_source(seed) for seed in range(4)]
    of_one = sum(len(content) for content in files_of_one(tmp_path).values())
    with pytest.raises(StoreError, match="do not fit in the store"):
        items, digests = make_pictures(N_ITEMS)
        small = Store(tmp_path / "small", limit_bytes=2 * of_one)
        list(extract_pooled_of_many(sources, items, digests, small, **OPTIONS))


def files_of_one(folder: Path) -> dict[str, bytes]:
    of_many([make_tiny_source(0)], Store(folder / "one"))
    return files(Store(folder / "one"))


def test_no_sources_are_nothing(tmp_path: Path) -> None:
    assert of_many([], Store(tmp_path)) == []


def test_each_network_is_prepared_once_and_one_that_cannot_be_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers begin at different networks."""
    sources = [make_tiny_source(seed) for seed in range(5)]
    prepare, prepared = pooled_pass.inference_network, list[str]()

    def watched(source: Source, setting: Any) -> Any:
        prepared.append(source.digest)
        if source is sources[2]:
            raise RuntimeError("cannot be folded")
        return prepare(source, setting)

    monkeypatch.setattr(pooled_pass, "inference_network", watched)
    found = of_many(sources, Store(tmp_path / "together"))
    failures = [str(each.failure) if each.failure else "" for each in found]
    assert failures == ["", "", "cannot be folded", "", ""]
    working = [source.digest for source in sources if source is not sources[2]]
    assert sorted(digest for digest in prepared if digest != sources[2].digest) == working
    monkeypatch.setattr(pooled_pass, "inference_network", prepare)
    alone = [of_many([source], Store(tmp_path / "alone"))[0] for source in sources]
    for one, other in zip(found, alone):
        if one.features is not None:
            for index in range(len(one.features.stages)):
                np.testing.assert_array_equal(one.features.stage(index), other.result().stage(index))
