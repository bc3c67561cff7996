"""Seeded augmentations: what is drawn depends on (seed, item digest, view) alone, never on order or threads.

Pictures: a random resized crop and a mirror image; recordings: gain, noise and shift; texts: words left out.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headstart.data.preprocessing import ImagePreprocessing

if TYPE_CHECKING:
    from headstart.data.images import Geometry


@dataclass(frozen=True)
class Augment:
    """Which view of each item to make.

    Args:
        seed: of the run.
        view: number of the view, from 0.
        digests: (n_items,) content digests by position; None: the position itself is the item's identity.
        crop_scale: smallest and largest share of a picture's area that a crop keeps.
        flip: mirror half of the pictures.
        gain_db: largest change of a recording's level.
        noise_db: noise is this far below the recording's level.
        shift: largest shift, as a share of the recording's own length.
        word_dropout: share of words left out of a text.
    """

    seed: int
    view: int = 0
    digests: Sequence[str] | np.ndarray | None = None
    crop_scale: tuple[float, float] = (0.35, 1.0)
    flip: bool = True
    gain_db: float = 6.0
    noise_db: float = 30.0
    shift: float = 0.1
    word_dropout: float = 0.1

    def item_seed(self, position: int) -> int:
        """The seed of one item's view, from (seed, digest, view).

        Args:
            position: of the item in the data set.
        """
        identity = str(position) if self.digests is None else str(self.digests[position])
        digest = hashlib.blake2b(f"{self.seed}|{self.view}|{identity}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little")


@dataclass(frozen=True)
class CropPlan:
    """A random resized crop and mirror for one picture (Szegedy et al. 2015, as torchvision draws it).

    Args:
        seed: of this item and view.
        scale: smallest and largest share of the area kept.
        ratio: smallest and largest aspect ratio.
        flip: mirror with probability one half.
    """

    seed: int
    scale: tuple[float, float] = (0.35, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip: bool = True

    def geometry(self, whole: tuple[int, int], preprocessing: ImagePreprocessing) -> Geometry:
        """Where this view's pixels come from.

        Args:
            whole: (width, height) of the picture, upright.
            preprocessing: the size to give.
        """
        from headstart.data.images import Geometry

        generator = np.random.default_rng(self.seed)
        mirrored = self.flip and bool(generator.random() < 0.5)
        width, height = whole
        box_w, box_h = self._box(width, height, generator)
        left = generator.random() * (width - box_w)
        top = generator.random() * (height - box_h)
        out_h, out_w = preprocessing.size
        resized = (math.ceil(out_w * width / box_w), math.ceil(out_h * height / box_h))
        return Geometry(resized, (left, top, left + box_w, top + box_h), (out_w, out_h), flip=mirrored)

    def _box(self, width: int, height: int, generator: np.random.Generator) -> tuple[float, float]:
        low, high = math.log(self.ratio[0]), math.log(self.ratio[1])
        for _ in range(10):
            area = width * height * generator.uniform(*self.scale)
            aspect = math.exp(generator.uniform(low, high))
            box_w, box_h = math.sqrt(area * aspect), math.sqrt(area / aspect)
            if box_w <= width and box_h <= height:
                return max(1.0, box_w), max(1.0, box_h)
        side = float(min(width, height))
        return side, side


def augment_waveform(waveform: np.ndarray, seed: int, augment: Augment) -> np.ndarray:
    """One view of a recording: moved, louder or softer, with faint noise; of the same length.

    Args:
        waveform: float32 (n_samples,).
        seed: of this item and view.
        augment: how much of each.

    Returns:
        float32 (n_samples,).
    """
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
    return np.asarray((moved + noise) * gain, dtype=np.float32)


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
