"""Statistics of pictures that tell a change of camera, print or file: brightness, contrast, colour, sharpness, noise.

    sharpness   log10 of the variance of the Laplacian (Pech-Pacheco et al. 2000, "Diatom autofocusing")
    noise       sqrt(pi / 2) / 6 mean |I * [[1, -2, 1], [-2, 4, -2], [1, -2, 1]]|  (Immerkaer 1996, "Fast noise variance
                estimation"), in grey levels; fine texture counts as noise too
    saturation  mean of (largest - smallest channel) / largest channel

All are of the middle of the picture at `SIDE` x `SIDE` pixels, as a network sees it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Float
from headstart.data.images import decode_pixels
from headstart.data.items import Item
from headstart.data.preprocessing import ImagePreprocessing

SIDE = 160
_LUMA = np.array([0.299, 0.587, 0.114])
GREY_BELOW = 0.02  # mean saturation of a picture without colour; JPEG leaves a little


def picture_statistics(items: Sequence[Item]) -> dict[str, Float]:
    """Return statistics by name, each of shape (n_items,).

    Args:
        items: paths, encoded bytes or uint8 pictures; take a sample of a large set.

    Raises:
        DataError: an item cannot be decoded.
    """
    how = ImagePreprocessing(size=(SIDE, SIDE), interpolation="bilinear")
    rows = [statistics(decode_pixels(item, how)) for item in items]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]} if rows else {}


def statistics(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Return the statistics of one picture.

    Args:
        pixels: of shape (H, W) or (H, W, 3), at least 3 x 3.
    """
    colour = pixels.astype(np.float64)
    if colour.ndim == 2:
        luma, saturation = colour, 0.0
    else:
        luma, largest = colour @ _LUMA, colour.max(axis=2)
        saturation = float(((largest - colour.min(axis=2)) / np.maximum(largest, 1)).mean())
    across = luma[:, :-2] - 2 * luma[:, 1:-1] + luma[:, 2:]
    down = luma[:-2] - 2 * luma[1:-1] + luma[2:]
    laplacian = across[1:-1] + down[:, 1:-1]
    both = across[:-2] - 2 * across[1:-1] + across[2:]
    return {
        "brightness": float(luma.mean() / 255),
        "contrast": float(luma.std() / 255),
        "sharpness": float(np.log10(laplacian.var() + 1e-2)),
        "noise": float(np.sqrt(np.pi / 2) / 6 * np.abs(both).mean()),
        "saturation": saturation,
        "greyscale (share)": float(saturation < GREY_BELOW),
    }
