"""The head that a training starts from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tune_networks import linear_head

from headstart.tune.training.first_head import are_alike, fit_first_head, serves, steadied, widened


def blobs(n_items: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = np.arange(n_items) % 3
    centres = np.random.default_rng(9).normal(size=(3, 8))
    return (centres[labels] + 0.8 * random.normal(size=(n_items, 8)) + 5).astype(np.float32), labels


@pytest.mark.parametrize("with_validation", [False, True])
def test_a_probe_is_fitted_to_the_embedding(with_validation: bool) -> None:
    x, labels = blobs(90, 0)
    held = blobs(60, 1)
    head = fit_first_head(x, labels, ("a", "b", "c"), 4, (*held, None) if with_validation else None)
    assert head.stages == (4,) and head.classes == ("a", "b", "c")
    assert (head.logits(held[0]).argmax(axis=1) == held[1]).mean() > 0.8


def test_a_probe_serves_only_on_the_last_stage_alone() -> None:
    head = linear_head(width=8, stage=3)
    names = head.classes
    assert serves(head, last_stage=3, width=8, classes=names)
    assert not serves(head, last_stage=4, width=8, classes=names)
    assert not serves(head, last_stage=3, width=16, classes=names)
    assert not serves(head, last_stage=3, width=8, classes=("x", "y", "z"))
    assert not serves(None, last_stage=3, width=8, classes=names)


def test_vectors_are_told_from_those_of_another_network_or_another_end() -> None:
    vectors, _ = blobs(30, 0)
    assert are_alike(vectors, vectors) and are_alike(vectors * np.float32(1.001), vectors)
    assert not are_alike(vectors * np.float32(1.05), vectors) and not are_alike(vectors[::-1], vectors)
    assert not are_alike(vectors[:, :7], vectors)


@pytest.mark.parametrize("leading", [True, False])
def test_a_widened_head_reads_its_end_of_the_vector(leading: bool) -> None:
    head = linear_head(width=8)
    random = np.random.default_rng(0)
    own, other = (random.normal(size=(5, 8)).astype(np.float32) for _ in range(2))
    wide = widened(head, 16, leading=leading)
    vector = np.concatenate([own, other] if leading else [other, own], axis=1)
    np.testing.assert_allclose(wide.logits(vector), head.logits(own), rtol=1e-6)
    assert widened(head, 8, leading=leading) is head


def test_a_feature_that_hardly_varies_is_left_out() -> None:
    head = linear_head(width=8)
    assert steadied(head) is head
    scale = head.scale.copy()
    scale[3] = 3e-9
    steady = steadied(replace(head, scale=scale))
    x = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
    x[:, 3] = head.mean[3]
    np.testing.assert_allclose(steady.logits(x), head.logits(x), rtol=1e-6)
    x[:, 3] += 1.0
    assert np.abs(steady.logits(x)).max() < 10
