"""Heat maps: what raises an output in orange, what lowers it in blue, over a picture or a spectrogram.

Legend: H and W pixels.
"""

from __future__ import annotations

import base64
import io

import numpy as np

SIDE = 320  # of the longer side, in pixels
_RAISES, _LOWERS = np.array([240, 110, 10.0]), np.array([40, 100, 230.0])
_STRONGEST = 0.72  # of the colour where the value is largest
_QUALITY = 78


def plain(picture: np.ndarray) -> str:
    """A picture as a data URI.

    Args:
        picture: uint8 (H, W, 3).
    """
    return _jpeg(_enlarged(picture))


def overlaid(picture: np.ndarray, values: np.ndarray) -> str:
    """A picture with a heat map over it, as a data URI.

    Args:
        picture: uint8 (H, W, 3); it is drawn in grey.
        values: of any grid that covers it.
    """
    ground = _enlarged(picture)
    grey = ground.mean(axis=2, keepdims=True).repeat(3, axis=2)
    strength = _resized(values / max(float(np.abs(values).max()), 1e-12), grey.shape[:2])[..., None]
    colour = np.where(strength > 0, _RAISES, _LOWERS)
    alpha = _STRONGEST * np.clip(np.abs(strength), 0, 1)
    return _jpeg(((1 - alpha) * grey + alpha * colour).astype(np.uint8))


def spectrogram(decibels: np.ndarray) -> np.ndarray:
    """A spectrogram as a picture, low frequencies below.

    Args:
        decibels: of shape (frequencies, frames).

    Returns:
        uint8 (H, W, 3).
    """
    low, high = np.percentile(decibels, 5), float(decibels.max())
    light = np.clip((decibels - low) / max(high - low, 1e-9), 0, 1)[::-1]
    shown = _resized(light, (SIDE // 2, SIDE))
    return np.repeat((255 * np.clip(shown, 0, 1)).astype(np.uint8)[..., None], 3, axis=2)


def _enlarged(picture: np.ndarray) -> np.ndarray:
    """The picture with its longer side at SIDE pixels; the pixels of a tiny one are not smeared."""
    from PIL import Image

    height, width = picture.shape[:2]
    factor = SIDE / max(height, width)
    how = Image.Resampling.NEAREST if factor > 2 else Image.Resampling.BICUBIC
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.array(Image.fromarray(picture).resize(size, how))


def _resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Float values on another grid of (H, W) points, interpolated."""
    from PIL import Image

    picture = Image.fromarray(values.astype(np.float32))
    return np.array(picture.resize((size[1], size[0]), Image.Resampling.BILINEAR))


def _jpeg(picture: np.ndarray) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=_QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
