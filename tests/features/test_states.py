"""Stored states: a suffix gives from them what the live forward gives, of any items of a bucket."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_source import make_pictures

import headstart.features.states as states_module
from headstart.backbone import Backbone
from headstart.data.augment import Augment
from headstart.data.loading import load_batches
from headstart.errors import DiskFullError, StoreError
from headstart.features import Setting, Store, estimate_state_bytes, extract_states
from headstart.features.inference import inference_network
from headstart.sources import load_source
from headstart.sources.source import Source

N_ITEMS = 20


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def live(source: Source, backbone: Backbone, items: np.ndarray) -> torch.Tensor:
    """The network's output computed plainly."""
    ((_, inputs),) = load_batches(items, source.preprocessing, [np.arange(len(items))], threads=1)
    with torch.no_grad():
        return backbone(inputs)


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_suffix_of_stored_states_is_the_forward(store: Store, tiny_source: Source, cut: int) -> None:
    items, digests = make_pictures(N_ITEMS)
    states = extract_states(tiny_source, items, digests, cut, store, precision="fp32", batch_size=3)
    chosen = np.array([13, 2, 2, 19, 0])
    with torch.no_grad():
        output = tiny_source.backbone.suffix(states.batch(chosen), cut)
    expected = live(tiny_source, tiny_source.backbone, items[chosen])
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-5)
    assert len(states) == N_ITEMS
    np.testing.assert_array_equal(np.concatenate(states.buckets), np.arange(N_ITEMS))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("cut", [1, 2])
def test_in_the_same_network_they_are_equal(
    store: Store, tiny_source: Source, cut: int, precision: str
) -> None:
    items, digests = make_pictures(N_ITEMS)
    states = extract_states(
        tiny_source, items, digests, cut, store, precision=precision, device="cpu", batch_size=N_ITEMS
    )
    network = inference_network(tiny_source, Setting.choose("cpu", precision, 1)).backbones[0]
    state = states.batch(np.arange(N_ITEMS), network)
    assert state.tensors and state.nbytes == states.nbytes
    with torch.no_grad():
        assert torch.equal(network.suffix(state, cut), live(tiny_source, network, items))


def test_states_are_computed_once(store: Store, tiny_source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    items, digests = make_pictures(N_ITEMS)
    counts: list[int] = []
    extract = states_module._extract

    def count(plan: states_module.Cut, missing: np.ndarray, *others: object) -> None:
        counts.append(len(missing))
        extract(plan, missing, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(states_module, "_extract", count)
    extract_states(tiny_source, items[:8], digests[:8], 2, store)
    extract_states(tiny_source, items, digests, 2, store)
    extract_states(tiny_source, items, digests, 2, store)
    extract_states(tiny_source, items, digests, 1, store)
    extract_states(tiny_source, items, digests, 2, store, view=1)
    extract_states(tiny_source, items, digests, 2, store, view=1)
    extract_states(tiny_source, items, digests, 2, store, view=1, seed=1)
    assert counts == [8, 12, 20, 20, 20]


def test_views_differ_and_follow_the_seed(store: Store, tiny_source: Source, tmp_path: Path) -> None:
    items, digests = make_pictures(N_ITEMS)
    chosen = np.arange(N_ITEMS)

    def values(where: Store, view: int, seed: int) -> torch.Tensor:
        states = extract_states(tiny_source, items, digests, 1, where, view=view, seed=seed, precision="fp32")
        (tensor,) = states.batch(chosen).tensors.values()
        return tensor

    plain, first = values(store, 0, 0), values(store, 1, 0)
    assert not torch.equal(plain, first)
    assert not torch.equal(first, values(store, 2, 0))
    assert not torch.equal(first, values(store, 1, 1))
    assert torch.equal(plain, values(store, 0, 1))
    assert torch.equal(first, values(Store(tmp_path / "again"), 1, 0))


def test_bytes_are_known_before(store: Store, tiny_source: Source) -> None:
    items, digests = make_pictures(N_ITEMS)
    for cut in (0, 1, 2):
        estimate = estimate_state_bytes(tiny_source, items, cut)
        assert estimate == extract_states(tiny_source, items, digests, cut, store).nbytes
    assert estimate_state_bytes(tiny_source, items[:0], 1) == 0


def test_too_many_bytes_are_refused_before_the_work(tiny_source: Source, tmp_path: Path) -> None:
    items, digests = make_pictures(N_ITEMS)
    with pytest.raises(StoreError, match=r"do not fit in the store .* limit is 1 kB"):
        extract_states(tiny_source, items, digests, 1, Store(tmp_path, limit_bytes=1000))
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_full_disk_is_seen_before_the_work(
    store: Store, tiny_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    items, digests = make_pictures(N_ITEMS)
    usage = type("Usage", (), {"free": 10_000})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    with pytest.raises(DiskFullError, match=r"needed, 10 kB free"):
        extract_states(tiny_source, items, digests, 1, store)


def test_views_follow_their_settings(store: Store, tiny_source: Source) -> None:
    items, digests = make_pictures(N_ITEMS)

    def values(augment: Augment | None, view: int = 1) -> torch.Tensor:
        states = extract_states(
            tiny_source, items, digests, 1, store, view=view, augment=augment, precision="fp32"
        )
        return next(iter(states.batch(np.arange(N_ITEMS)).tensors.values()))

    default = values(None)
    assert torch.equal(values(Augment(seed=7, view=5)), default)
    trivial = values(Augment(seed=0, kind="trivial"))
    assert not torch.equal(trivial, default)
    assert torch.equal(values(Augment(seed=0, kind="trivial")), trivial)
    assert torch.equal(values(Augment(seed=0, kind="trivial"), view=0), values(None, view=0))
    assert len(list(store.root.iterdir())) == 3


def test_buckets_do_not_depend_on_what_was_stored_first(tmp_path: Path, text_source: Path) -> None:
    source = load_source(str(text_source))
    texts = [" ".join(["good"] * n) + f" {n}" for n in (2, 2, 10, 10, 20, 20, 40, 40)]
    digests = np.array([str(number) for number in range(len(texts))])

    def buckets(store: Store) -> list[list[int]]:
        states = extract_states(source, texts, digests, 1, store, precision="fp32", threads=1)
        return [bucket.tolist() for bucket in states.buckets]

    at_once = buckets(Store(tmp_path / "at once"))
    assert len(at_once) >= 3
    for number, first in enumerate(at_once):
        store = Store(tmp_path / str(number))
        some = [texts[position] for position in first]
        extract_states(source, some, digests[first], 1, store, precision="fp32", threads=1)
        assert buckets(store) == at_once
