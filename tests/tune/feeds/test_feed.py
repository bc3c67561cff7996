"""Feeds: what is kept on the device gives the same batches as what is read each time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tune_networks import States, chain, pictures
from tune_sources import part_of, source_of

from headstart.backbone import Backbone
from headstart.data.augment import Augment
from headstart.errors import TrainingError
from headstart.features import Store, extract_states
from headstart.tune import Part
from headstart.tune.feeds.feed import Feed, Machine, embed_all
from headstart.tune.feeds.live import LiveFeed
from headstart.tune.feeds.stored import StoredFeed
from headstart.tune.feeds.tensors import TensorFeed


def views_of(part: Part) -> Callable[[int, int], Augment]:
    return lambda seed, epoch: Augment(seed, epoch, part.digests)


def test_states_kept_in_memory_are_those_read_each_time(tmp_path: Path) -> None:
    source, part = source_of("text"), part_of("text", 40, 0, tmp_path)
    source.backbone.trace(
        {"input_ids": torch.ones(2, 3, dtype=torch.int64), "attention_mask": torch.ones(2, 3)}
    )
    stored = extract_states(
        source, part.items, part.digests, 1, Store(tmp_path / "store"), precision="fp32", threads=1
    )
    assert len(stored.buckets) > 1
    read, kept = (StoredFeed([stored], 1, source.backbone, resident=resident) for resident in (False, True))
    plan = [np.random.default_rng(0).permutation(bucket)[:5] for bucket in read.buckets]
    pairs = zip(read.batches(plan, seed=0, epoch=1), kept.batches(plan, seed=0, epoch=1), strict=True)
    for (first, ours), (second, theirs) in pairs:
        assert np.array_equal(first, second)
        assert ours.tensors.keys() == theirs.tensors.keys()
        assert all(torch.equal(ours.tensors[name], theirs.tensors[name]) for name in ours.tensors)


@pytest.mark.parametrize("modality", ["image", "text", "audio"])
def test_live_and_stored_feeds_embed_alike(modality: str, tmp_path: Path) -> None:
    source, part = source_of(modality), part_of(modality, 20, 0, tmp_path)
    live = LiveFeed(part.items, part.digests, source.preprocessing, n_threads=1, augment=views_of(part))
    stored = extract_states(
        source, part.items, part.digests, 2, Store(tmp_path / "store"), precision="fp32", threads=1
    )
    feeds: list[Feed] = [live, StoredFeed([stored], 2, source.backbone)]
    vectors = [embed_all(source.backbone, feed, Machine(), batch_size=7) for feed in feeds]
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)


def test_live_training_epochs_are_augmented_and_evaluation_is_not(tmp_path: Path) -> None:
    source, part = source_of("image"), part_of("image", 12, 0, tmp_path)
    feed = LiveFeed(part.items, part.digests, source.preprocessing, n_threads=1, augment=views_of(part))

    def pixels(epoch: int) -> torch.Tensor:
        (_, inputs), *_ = feed.batches([np.arange(12)], seed=0, epoch=epoch)
        return inputs["pixels"]

    assert torch.equal(pixels(0), pixels(0)) and torch.equal(pixels(1), pixels(1))
    assert not torch.equal(pixels(0), pixels(1)) and not torch.equal(pixels(1), pixels(2))


def test_a_resumed_epoch_goes_on_where_it_was() -> None:
    x, _ = pictures()
    backbone: Backbone = chain()
    plan = np.array_split(np.arange(60), 5)
    for feed in (StoredFeed([States(backbone, x, 1)], 1, backbone), TensorFeed(x)):
        whole = [positions.tolist() for positions, _ in feed.batches(plan, seed=0, epoch=1)]
        rest = [positions.tolist() for positions, _ in feed.batches(plan, seed=0, epoch=1, start=3)]
        assert rest == whole[3:]


def test_nothing_to_embed_is_an_error() -> None:
    with pytest.raises(TrainingError, match="no items"):
        embed_all(chain(), TensorFeed(torch.zeros(0, 1, 6, 6)), Machine())
