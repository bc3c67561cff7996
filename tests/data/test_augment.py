"""Views: seeded by item and view, of the right shape, of bounded change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from headstart.data.augment import (
    Augment,
    augment_text,
    augment_waveform,
    mask_waveform,
    speed_factor,
    trivial_augment,
)

PICTURE = np.random.default_rng(0).integers(0, 256, (37, 50, 3)).astype(np.uint8)
NOISE = np.random.default_rng(1).standard_normal(8000).astype(np.float32)


def test_the_seed_is_of_item_and_view() -> None:
    augment = Augment(seed=1, view=0, digests=["x", "y", "x"])
    assert augment.item_seed(0) == augment.item_seed(2) != augment.item_seed(1)
    assert augment.item_seed(0) != Augment(seed=1, view=1, digests=["x"]).item_seed(0)
    assert augment.item_seed(0) != Augment(seed=2, view=0, digests=["x"]).item_seed(0)
    assert Augment(seed=1).item_seed(0) != Augment(seed=1).item_seed(1)


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


@pytest.mark.parametrize("seed", range(60))
def test_trivial_changes_are_those_of_torchvision(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same draws, torchvision's own class makes the same picture."""
    from torchvision.transforms.v2 import InterpolationMode, TrivialAugmentWide

    ours = trivial_augment(PICTURE, seed)
    draw = np.random.default_rng([seed, 1])
    monkeypatch.setattr(torch, "randint", lambda high, size: torch.tensor(int(draw.integers(high))))
    monkeypatch.setattr(torch, "rand", lambda size: torch.tensor(draw.random()))
    theirs = TrivialAugmentWide(interpolation=InterpolationMode.BILINEAR)(Image.fromarray(PICTURE))
    np.testing.assert_array_equal(ours, np.asarray(theirs))


def test_trivial_changes_do_not_depend_on_threads_nor_disturb_them() -> None:
    torch.manual_seed(0)
    state = torch.get_rng_state()
    alone = [trivial_augment(PICTURE, seed) for seed in range(64)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: trivial_augment(PICTURE, seed), reversed(range(64))))
    for one, other in zip(alone, reversed(together)):
        np.testing.assert_array_equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)
    assert len({one.tobytes() for one in alone}) > 30


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (40, 30)])
def test_trivial_changes_keep_shape_and_type(size: tuple[int, int]) -> None:
    for seed in range(40):
        for shape in (size, (*size, 3)):
            changed = trivial_augment(np.full(shape, 100, np.uint8), seed)
            assert changed.shape == shape and changed.dtype == np.uint8


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.integers(0, 8000), st.floats(0.01, 0.5), st.booleans())
def test_speed_changes_the_length_alone(seed: int, n_samples: int, speed: float, masked: bool) -> None:
    augment = Augment(seed=0, speed=speed, spec_augment=masked)
    factor = speed_factor(seed, augment)
    assert abs(factor - 1) <= speed
    view = augment_waveform(NOISE[:n_samples], seed, augment)
    assert view.shape == (round(n_samples / factor),) and view.dtype == np.float32
    assert np.isfinite(view).all()
    np.testing.assert_array_equal(view, augment_waveform(NOISE[:n_samples], seed, augment))


def test_speed_moves_a_tone() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    augment = Augment(seed=0, speed=0.3, gain_db=0.0, shift=0.0, noise_db=200.0)
    for seed in range(5):
        factor = speed_factor(seed, augment)
        view = augment_waveform(tone, seed, augment)
        peak = np.abs(np.fft.rfft(view)).argmax() * 16_000 / len(view)
        assert abs(peak - 1000 * factor) < 3
        assert abs(float(np.sqrt(np.mean(view**2))) - np.sqrt(0.5)) < 0.01


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(0, 8000), st.sampled_from([8000, 16_000, 44_100]))
def test_masks_only_take_away(seed: int, n_samples: int, rate_hz: int) -> None:
    masked = mask_waveform(NOISE[:n_samples], seed, rate_hz)
    assert masked.shape == (n_samples,) and masked.dtype == np.float32 and np.isfinite(masked).all()
    assert np.square(masked).sum() <= np.square(NOISE[:n_samples]).sum() * 1.0001
    assert np.array_equal(masked, mask_waveform(NOISE[:n_samples], seed, rate_hz))


def test_without_masks_the_waveform_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    import headstart.data.augment as module

    monkeypatch.setattr(module, "_N_MASKS", 0)
    for n_samples in (1, 100, 8000):
        np.testing.assert_allclose(mask_waveform(NOISE[:n_samples], 0, 16_000), NOISE[:n_samples], atol=1e-5)


def test_masks_silence_bands_and_stretches() -> None:
    silent = 0
    for seed in range(20):
        spectrum = np.abs(
            torch.stft(
                torch.from_numpy(mask_waveform(NOISE, seed, 16_000)),
                512,
                128,
                window=torch.hann_window(512),
                return_complex=True,
            ).numpy()
        )
        loud = np.abs(NOISE).mean() * 512 * 1e-3
        bands, frames = (spectrum.max(axis=1) < loud).mean(), (spectrum.max(axis=0) < loud).mean()
        assert bands < 0.8 and frames < 0.41
        silent += bands > 0
    assert silent > 10


def test_other_settings_leave_the_draws_as_they_are() -> None:
    """What noise and shift draw does not depend on the masks, and the crop not on the kind."""
    light = augment_waveform(NOISE, 3, Augment(seed=0))
    np.testing.assert_array_equal(
        mask_waveform(light, 3, 16_000), augment_waveform(NOISE, 3, Augment(seed=0, spec_augment=True))
    )


def test_settings_name_what_is_not_default() -> None:
    assert Augment(seed=3, view=2, digests=["x"]).settings == ""
    changes: list[dict[str, Any]] = [{"kind": "trivial"}, {"speed": 0.1}, {"noise_db": 20.0}, {"flip": False}]
    texts = [replace(Augment(seed=0), **change).settings for change in changes]
    assert len(set(texts)) == 4 and texts[0] == '{"kind": "trivial"}'
