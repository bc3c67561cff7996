"""Pooled features and states of one pass: the values of two passes, half the work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_source import TinyNet, make_pictures

from headstart.backbone import Backbone
from headstart.features import (
    Features,
    Setting,
    Store,
    StoredStates,
    extract_pooled,
    extract_pooled_and_states,
    extract_states,
)
from headstart.sources.source import Source

N_ITEMS, CUT = 20, 2
OPTIONS: dict[str, Any] = {"precision": "fp32", "device": "cpu", "batch_size": 3}


@pytest.fixture
def items_run(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Through the first stage, call by call; passes over a few made-up or first items are among them."""
    counts: list[int] = []
    forward = TinyNet.forward

    def counting(self: TinyNet, pixels: torch.Tensor) -> torch.Tensor:
        counts.append(len(pixels))
        return forward(self, pixels)

    monkeypatch.setattr(TinyNet, "forward", counting)
    return counts


def both(source: Source, store: Store, n_items: int = N_ITEMS) -> tuple[Features, StoredStates]:
    items, digests = make_pictures(n_items)
    return extract_pooled(source, items, digests, store, **OPTIONS), extract_states(
        source, items, digests, CUT, store, **OPTIONS
    )


def assert_same(one: tuple[Features, StoredStates], other: tuple[Features, StoredStates]) -> None:
    for index in range(3):
        np.testing.assert_array_equal(one[0].stage(index), other[0].stage(index))
    order = np.arange(N_ITEMS)[::-1]
    states = [side[1].batch(order).tensors for side in (one, other)]
    assert states[0].keys() == states[1].keys() and states[0]
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name])


def test_one_pass_gives_what_two_would(tmp_path: Path, tiny_source: Source, items_run: list[int]) -> None:
    items, digests = make_pictures(N_ITEMS)
    store = Store(tmp_path / "together")
    extract_pooled_and_states(tiny_source, items, digests, CUT, store, **OPTIONS)
    in_one = sum(items_run)
    found = both(tiny_source, store)
    n_read = sum(items_run) - in_one
    assert_same(found, both(tiny_source, Store(tmp_path / "apart")))
    in_two = sum(items_run) - in_one - n_read
    assert n_read < N_ITEMS, "nothing is left to compute"
    assert in_one + N_ITEMS <= in_two + 3 * Setting.choose("cpu").n_workers


def test_items_that_one_of_the_two_has_are_left_to_their_own_passes(
    tmp_path: Path, tiny_source: Source, items_run: list[int]
) -> None:
    items, digests = make_pictures(N_ITEMS)
    store = Store(tmp_path)
    extract_pooled(tiny_source, items[:5], digests[:5], store, **OPTIONS)
    before = len(items_run)
    extract_pooled_and_states(tiny_source, items, digests, CUT, store, **OPTIONS)
    assert len(items_run) == before, "the pooled features of some are there: two passes differ in their items"
    assert_same(both(tiny_source, store), both(tiny_source, Store(tmp_path / "apart")))


def test_after_a_kill_the_same_batches_are_computed_again(tmp_path: Path, tiny_source: Source) -> None:
    """The states are ahead, since they are written first; what is there is not written again."""
    items, digests = make_pictures(N_ITEMS)
    alone, store = Store(tmp_path / "alone"), Store(tmp_path / "killed")
    for each in (alone, store):
        extract_pooled_and_states(tiny_source, items, digests, CUT, each, **OPTIONS)
    (pooled,) = (entry for entry in store.list() if entry.what.startswith("pooled"))
    for shard in (store.root / pooled.digest).glob("*.safetensors"):
        shard.unlink()
    states = {path: path.stat().st_mtime_ns for path in store.root.rglob("*.safetensors")}
    extract_pooled_and_states(tiny_source, items, digests, CUT, store, **OPTIONS)
    files = [
        {str(path.relative_to(each.root)): path.read_bytes() for path in each.root.rglob("*.safetensors")}
        for each in (alone, store)
    ]
    assert files[0] == files[1]
    assert states == {path: path.stat().st_mtime_ns for path in states}


def test_it_goes_on_where_it_was_stopped(tmp_path: Path, tiny_source: Source) -> None:
    items, digests = make_pictures(N_ITEMS)
    store = Store(tmp_path / "together")
    extract_pooled_and_states(tiny_source, items[:8], digests[:8], CUT, store, **OPTIONS)
    extract_pooled_and_states(tiny_source, items, digests, CUT, store, **OPTIONS)
    kept = sorted(tmp_path.rglob("*.safetensors"))
    extract_pooled_and_states(tiny_source, items, digests, CUT, store, **OPTIONS)
    assert sorted(tmp_path.rglob("*.safetensors")) == kept
    found = both(tiny_source, store)
    assert found[0].n_items == found[1].n_items == N_ITEMS


def test_states_without_room_leave_the_features(tmp_path: Path, tiny_source: Source) -> None:
    items, digests = make_pictures(N_ITEMS)
    extract_pooled_and_states(tiny_source, items, digests, CUT, Store(tmp_path, limit_bytes=1000), **OPTIONS)
    assert not list(tmp_path.rglob("*.safetensors"))
    assert extract_pooled(tiny_source, items, digests, Store(tmp_path), **OPTIONS).n_items == N_ITEMS


def test_a_stage_that_writes_into_its_input_does_not_change_the_state() -> None:
    class InPlace(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = torch.nn.Conv2d(3, 4, 3)
            self.last = torch.nn.Sequential(torch.nn.ReLU(inplace=True), torch.nn.Conv2d(4, 4, 3))

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return self.last(self.stem(pixels)).mean((2, 3))

    backbone = Backbone(InPlace().eval(), ["stem", "last"])
    pixels = torch.randn(3, 3, 8, 8)
    _, noted = backbone.pooled_and_state(pixels, 1)
    assert torch.equal(noted.tensors["arg.0"], backbone.module.stem(pixels))
