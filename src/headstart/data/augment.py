"""Seeded augmentations: what is drawn depends on (seed, item digest, view) alone, never on order or threads.

Pictures: a random resized crop and a mirror image, and with the kind "trivial" one of TrivialAugment's changes
of colour or shape (Müller and Hutter 2021). Recordings: gain, noise and shift, and if asked for speed (Ko et al. 2015)
and SpecAugment's masks (Park et al. 2019). Texts: words left out.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

_TRIVIAL, _SPEED, _MASKS = 1, 2, 3  # separate random streams: a setting does not change what others draw
_N_MAGNITUDES = 31
_N_MASKS, _LARGEST_BAND, _LARGEST_SHARE, _LARGEST_SECONDS = 2, 27 / 80, 0.2, 1.0


@dataclass(frozen=True)
class Augment:
    """Which view of each item to make.

    Args:
        seed: of the run.
        view: number of the view, from 0.
        digests: (n_items,) content digests by position; None: the position itself is the item's identity.
        kind: "light", or "trivial": pictures also go through one change of TrivialAugment's wide space.
        crop_scale: smallest and largest share of a picture's area that a crop keeps.
        flip: mirror half of the pictures.
        gain_db: largest change of a recording's level.
        noise_db: noise is this far below the recording's level.
        shift: largest shift, as a share of the recording's own length.
        speed: largest relative change of a recording's speed (and with it of pitch and length), below 1.
        spec_augment: silence two stretches of time and two bands of frequency of a recording.
        word_dropout: share of words left out of a text.
    """

    seed: int
    view: int = 0
    digests: Sequence[str] | np.ndarray | None = None
    kind: Literal["light", "trivial"] = "light"
    crop_scale: tuple[float, float] = (0.35, 1.0)
    flip: bool = True
    gain_db: float = 6.0
    noise_db: float = 30.0
    shift: float = 0.1
    speed: float = 0.0
    spec_augment: bool = False
    word_dropout: float = 0.1

    def item_seed(self, position: int) -> int:
        """The seed of one item's view, from (seed, digest, view).

        Args:
            position: of the item in the data set.
        """
        identity = str(position) if self.digests is None else str(self.digests[position])
        digest = hashlib.blake2b(f"{self.seed}|{self.view}|{identity}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little")

    @property
    def settings(self) -> str:
        """What differs from the default settings, as JSON; "" if nothing does. For keys of stored views."""
        changed = {
            field.name: value
            for field in fields(self)
            if field.name not in ("seed", "view", "digests")
            and (value := getattr(self, field.name)) != field.default
        }
        return json.dumps(changed, sort_keys=True) if changed else ""


def trivial_augment(pixels: np.ndarray, seed: int) -> np.ndarray:
    """One change of TrivialAugment's wide space, of a strength drawn evenly (Müller and Hutter 2021).

    The changes, their strengths and their application are those of torchvision's TrivialAugmentWide; what it
    would draw from torch's global generator is drawn from the item's seed.

    Args:
        pixels: uint8 (H, W, 3) or (H, W).
        seed: of this item and view.

    Returns:
        uint8 of the same shape.
    """
    from PIL import Image
    from torchvision.transforms.v2 import InterpolationMode, TrivialAugmentWide

    generator = np.random.default_rng([seed, _TRIVIAL])
    wide = TrivialAugmentWide(_N_MAGNITUDES, InterpolationMode.BILINEAR)
    names = list(wide._AUGMENTATION_SPACE)
    name = names[int(generator.integers(len(names)))]
    make_magnitudes, signed = wide._AUGMENTATION_SPACE[name]
    magnitudes = make_magnitudes(_N_MAGNITUDES, *pixels.shape[:2])
    magnitude = 0.0
    if magnitudes is not None:
        magnitude = float(magnitudes[int(generator.integers(_N_MAGNITUDES))])
        if signed and generator.random() < 0.5:
            magnitude = -magnitude
    changed = wide._apply_image_or_video_transform(
        Image.fromarray(pixels), name, magnitude, interpolation=wide.interpolation, fill=wide._fill
    )
    return np.asarray(changed)


def speed_factor(seed: int, augment: Augment) -> float:
    """How much faster this view of a recording is played, around 1.

    Args:
        seed: of this item and view.
        augment: its `speed`.
    """
    if not augment.speed:
        return 1.0
    return 1.0 + float(np.random.default_rng([seed, _SPEED]).uniform(-augment.speed, augment.speed))


def augment_waveform(waveform: np.ndarray, seed: int, augment: Augment, rate_hz: int = 16_000) -> np.ndarray:
    """One view of a recording: moved, louder or softer, with faint noise; if asked for also faster and masked.

    Args:
        waveform: float32 (n_samples,).
        seed: of this item and view.
        augment: how much of each.
        rate_hz: samples per second.

    Returns:
        float32 (round(n_samples / speed_factor),).
    """
    waveform = _played_at(speed_factor(seed, augment), waveform, rate_hz)
    generator = np.random.default_rng(seed)
    n_samples = len(waveform)
    shift = int(generator.uniform(-augment.shift, augment.shift) * n_samples)
    moved = np.zeros_like(waveform)
    if shift >= 0:
        moved[shift:] = waveform[: n_samples - shift]
    else:
        moved[:shift] = waveform[-shift:]
    gain = 10.0 ** (generator.uniform(-augment.gain_db, augment.gain_db) / 20.0)
    level = float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64)))) if n_samples else 0.0
    noise = generator.standard_normal(n_samples, dtype=np.float32) * np.float32(
        level * 10.0 ** (-augment.noise_db / 20.0)
    )
    view = np.asarray((moved + noise) * gain, dtype=np.float32)
    return mask_waveform(view, seed, rate_hz) if augment.spec_augment else view


def _played_at(factor: float, waveform: np.ndarray, rate_hz: int) -> np.ndarray:
    """A waveform played faster or slower, by resampling it: float32 (round(n_samples / factor),)."""
    n_samples = round(len(waveform) / factor)
    if factor == 1.0 or not n_samples:
        return waveform
    import soxr

    played = np.zeros(n_samples, dtype=np.float32)
    resampled = soxr.resample(waveform, rate_hz * factor, rate_hz)[:n_samples]
    played[: len(resampled)] = resampled
    return played


def mask_waveform(waveform: np.ndarray, seed: int, rate_hz: int) -> np.ndarray:
    """SpecAugment's masks (Park et al. 2019, without its time warp) on the spectrum of a waveform itself.

    The networks make their own spectrograms, so a short-time Fourier transform (32 ms) is masked and turned
    back, which without masks gives the waveform. Two bands, each of up to 27/80 of the mel scale, and two
    stretches, each of up to a fifth of the recording and a second, become silent.

    Args:
        waveform: float32 (n_samples,).
        seed: of this item and view.
        rate_hz: samples per second.

    Returns:
        float32 (n_samples,).
    """
    import torch

    if not len(waveform):
        return waveform
    generator = np.random.default_rng([seed, _MASKS])
    n_fft = max(4, 2 ** round(math.log2(0.032 * rate_hz)))
    hop, window = n_fft // 4, torch.hann_window(n_fft)
    spectrum_FT = torch.stft(
        torch.from_numpy(waveform), n_fft, hop, window=window, pad_mode="constant", return_complex=True
    )
    n_bins, n_frames = spectrum_FT.shape
    top_mel = 2595 * math.log10(1 + rate_hz / 2 / 700)
    longest = min(_LARGEST_SHARE * n_frames, _LARGEST_SECONDS * rate_hz / hop)
    for _ in range(_N_MASKS):
        mel = generator.uniform(0, _LARGEST_BAND * top_mel)
        low = generator.uniform(0, top_mel - mel)
        bins = [round(700 * (10 ** (m / 2595) - 1) / (rate_hz / 2) * (n_bins - 1)) for m in (low, low + mel)]
        spectrum_FT[bins[0] : bins[1]] = 0
        n_masked = round(generator.uniform(0, longest))
        start = int(generator.integers(n_frames - n_masked + 1))
        spectrum_FT[:, start : start + n_masked] = 0
    masked: np.ndarray = torch.istft(spectrum_FT, n_fft, hop, window=window, length=len(waveform)).numpy()
    return masked


def augment_text(text: str, seed: int, augment: Augment) -> str:
    """One view of a text: some words left out, at least one kept.

    Args:
        text: words between white space.
        seed: of this item and view.
        augment: how many.
    """
    words = text.split()
    if len(words) < 2:
        return text
    generator = np.random.default_rng(seed)
    kept = generator.random(len(words)) >= augment.word_dropout
    kept[int(generator.integers(len(words)))] = True
    return " ".join(word for word, keep in zip(words, kept) if keep)
