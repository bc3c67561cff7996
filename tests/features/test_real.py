"""Real sources and items: stored states and pooled features against the source's own forward."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from headstart.data.loading import load_batches, plan_batches
from headstart.data.preprocessing import AudioPreprocessing, with_window
from headstart.data.read import read_examples
from headstart.data.scanning import scan
from headstart.features import Store, extract_pooled, extract_states
from headstart.sources import load_source
from headstart.sources.source import Source

pytestmark = pytest.mark.real


def take(shared: Path, weights: str, data: str, positions: slice) -> tuple[Source, list[object], np.ndarray]:
    """A source, some items of a data set and their digests."""
    source = load_source(str(shared / "weights" / weights))
    examples = read_examples(shared / "data" / data, target="speaker" if data == "emodb" else None)
    items = [examples.items[index] for index in range(*positions.indices(len(examples)))]
    found = scan(items, source.modality, threads=1)
    if isinstance(source.preprocessing, AudioPreprocessing):
        assert found.seconds is not None
        source = replace(source, preprocessing=with_window(source.preprocessing, found.seconds))
    return source, items, found.digests


CASES = [
    ("all-MiniLM-L6-v2", "sst2/sst2.csv", slice(0, 40)),
    ("mobilenetv2_100.tf2_ptq_in1k", "hymenoptera", slice(0, 397, 40)),
    ("whisper-tiny.en-encoder", "emodb", slice(0, 535, 90)),
]


@pytest.mark.parametrize(("weights", "data", "positions"), CASES)
def test_pooled_features_and_states_agree_with_the_network(
    shared: Path, tmp_path: Path, weights: str, data: str, positions: slice
) -> None:
    source, items, digests = take(shared, weights, data, positions)
    store = Store(tmp_path)
    features = extract_pooled(source, items, digests, store, precision="fp32", threads=1)
    states = extract_states(source, items, digests, 2, store, precision="fp32", threads=1)
    n_seen = 0
    for bucket, inputs in load_batches(
        items, source.preprocessing, plan_batches(items, source.preprocessing, batch_size=8), threads=1
    ):
        with torch.no_grad():
            expected = source.backbone.pooled(inputs)
            output = source.network(**inputs)
        for index, vectors in enumerate(expected):
            scale = float(vectors.abs().max())
            np.testing.assert_allclose(
                features.take(bucket).stage(index), vectors.numpy(), atol=1e-3 * scale, err_msg=str(index)
            )
        # an item's bucket may hold others than its batch, and a batch those of several buckets
        for chosen in states.buckets:
            rows = np.flatnonzero(np.isin(bucket, chosen))
            if len(rows):
                with torch.no_grad():
                    got = source.backbone.suffix(states.batch(bucket[rows]), 2)
                np.testing.assert_allclose(got, output[rows], atol=1e-3 * float(output.abs().max()))
                n_seen += len(rows)
    assert n_seen == len(items)


def test_views_of_texts_have_the_buckets_of_the_plain_ones(shared: Path, tmp_path: Path) -> None:
    source, items, digests = take(shared, "all-MiniLM-L6-v2", "sst2/sst2.csv", slice(0, 60))
    store = Store(tmp_path)
    plain, view = (
        extract_states(source, items, digests, 6, store, view=number, threads=1) for number in (0, 1)
    )
    assert len(plain.buckets) > 2
    for one, other in zip(plain.buckets, view.buckets, strict=True):
        np.testing.assert_array_equal(np.sort(one), np.sort(other))
        states = [states.batch(one) for states in (plain, view)]
        assert {name: tensor.shape for name, tensor in states[0].tensors.items()} == {
            name: tensor.shape for name, tensor in states[1].tensors.items()
        }
