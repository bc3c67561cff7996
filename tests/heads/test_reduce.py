"""The rotation keeps the geometry; broken features are named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.errors import DataError
from headstart.heads.reduce import combine, reduce, standardiser


@settings(max_examples=30, deadline=None)
@given(n_items=st.integers(2, 40), width=st.integers(1, 60), seed=st.integers(0, 99))
def test_inner_products_are_kept(n_items: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(n_items, width)) * rng.uniform(0.1, 10, size=width) + 5).astype(np.float32)
    how = standardiser(x)
    reduced = reduce(x, how)
    standard = how.apply(x)
    assert reduced.z.shape[1] <= min(n_items, width)
    assert np.allclose(reduced.z @ reduced.z.T, standard @ standard.T, atol=2e-2)
    assert np.allclose(reduced.apply(x), reduced.z, atol=1e-3)


def test_constant_features_are_left_alone() -> None:
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    x[:, 1] = 7.3
    how = standardiser(x)
    assert how.scale[1] == 1 and np.abs(how.apply(x)[:, 1]).max() < 1e-5
    assert reduce(x, how).z.shape == (20, 2)
    everything_constant = np.ones((5, 4), dtype=np.float32)
    assert np.isfinite(reduce(everything_constant, standardiser(everything_constant)).z).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_named(value: float) -> None:
    x = np.zeros((9, 2), dtype=np.float32)
    x[4, 1] = value
    with pytest.raises(DataError, match=r"stage layer3 are not finite for 1 of 9 items .*item 4"):
        standardiser(x, name="stage layer3")


def test_scalings() -> None:
    x = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32) * np.float32([1, 3])
    assert np.allclose(standardiser(x, "feature").scale, x.std(axis=0), rtol=1e-4)
    assert np.allclose(standardiser(x, "block").scale, np.sqrt((x.var(axis=0)).mean()), rtol=1e-4)
    assert np.allclose(standardiser(x, "none").scale, 1)


def test_stages_together_map_back_to_their_features() -> None:
    rng = np.random.default_rng(0)
    blocks = [rng.normal(size=(30, width)).astype(np.float32) for width in (5, 8)]
    both = combine([reduce(block, standardiser(block)) for block in blocks], 100)
    x = np.concatenate(blocks, axis=1)
    assert np.allclose(both.apply(x), both.z, atol=1e-3)
    weight = rng.normal(size=(3, both.z.shape[1]))
    assert np.allclose(both.standardiser.apply(x) @ both.weights(weight).T, both.z @ weight.T, atol=1e-2)


def test_rows_are_read_in_chunks_from_a_memory_map(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("headstart.heads.reduce.CHUNK", 64)
    x = np.random.default_rng(0).normal(size=(1000, 6)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    how = standardiser(mapped)
    assert np.allclose(how.mean, x.mean(axis=0), atol=1e-5)
    reduced = reduce(mapped, how)
    assert np.allclose(reduced.z @ reduced.z.T, how.apply(x) @ how.apply(x).T, atol=1e-3)
