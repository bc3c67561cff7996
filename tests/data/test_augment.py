"""Views: seeded by item and view, of the right shape, of bounded change."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.augment import Augment, CropPlan, augment_text, augment_waveform
from headstart.data.preprocessing import ImagePreprocessing


def test_the_seed_is_of_item_and_view() -> None:
    augment = Augment(seed=1, view=0, digests=["x", "y", "x"])
    assert augment.item_seed(0) == augment.item_seed(2) != augment.item_seed(1)
    assert augment.item_seed(0) != Augment(seed=1, view=1, digests=["x"]).item_seed(0)
    assert augment.item_seed(0) != Augment(seed=2, view=0, digests=["x"]).item_seed(0)
    assert Augment(seed=1).item_seed(0) != Augment(seed=1).item_seed(1)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 10**6), st.integers(1, 3000), st.integers(1, 3000))
def test_crops_lie_inside_the_picture(seed: int, width: int, height: int) -> None:
    geometry = CropPlan(seed).geometry((width, height), ImagePreprocessing(size=(20, 30)))
    left, top, right, bottom = geometry.box
    assert 0 <= left < right <= width + 1e-6 and 0 <= top < bottom <= height + 1e-6
    assert geometry.size == (30, 20)


def test_half_of_the_views_are_mirrored() -> None:
    flips = [CropPlan(seed).geometry((50, 40), ImagePreprocessing()).flip for seed in range(400)]
    assert 150 < sum(flips) < 250
    assert not any(CropPlan(s, flip=False).geometry((50, 40), ImagePreprocessing()).flip for s in range(20))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 1000), st.integers(0, 500))
def test_waveforms_keep_length_and_level(seed: int, n_samples: int) -> None:
    tone = np.sin(np.arange(n_samples) / 5).astype(np.float32)
    view = augment_waveform(tone, seed, Augment(seed=0))
    assert view.shape == tone.shape and view.dtype == np.float32
    assert np.isfinite(view).all() and np.abs(view).max(initial=0) < 3.0
    np.testing.assert_array_equal(view, augment_waveform(tone, seed, Augment(seed=0)))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(["so", "it", "goes"]), max_size=30), st.integers(0, 1000))
def test_texts_keep_words_in_order(words: list[str], seed: int) -> None:
    view = augment_text(" ".join(words), seed, Augment(seed=0, word_dropout=0.7)).split()
    assert bool(view) == bool(words)
    rest = iter(words)
    assert all(word in rest for word in view)
