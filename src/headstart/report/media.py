"""Items made small enough to be embedded in a page.

An image becomes a JPEG thumbnail of at most `IMAGE_BYTES`, a recording a 16-bit mono FLAC of at most five
seconds and `AUDIO_BYTES` (its rate is lowered until it fits), a text an excerpt. An item that can no longer
be read gives an empty payload, never an error: a run must not fail because of its report.
"""

from __future__ import annotations

import base64
import io
import textwrap
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

IMAGE_SIDE = 320
IMAGE_BYTES = 6_000
AUDIO_SECONDS = 5.0
AUDIO_BYTES = 40_000
AUDIO_RATES = (16_000, 11_025, 8_000)
TEXT_CHARACTERS = 400
N_PEAKS = 80


@dataclass(frozen=True)
class Shown:
    """An item small enough to be embedded in a page.

    Attributes:
        payload: image and audio: a data URI; text: an excerpt; "" if the item cannot be shown.
        peaks: audio: the envelope from 0 to 1, drawn beside the player.
        seconds: audio: length of the whole recording.
    """

    payload: str = ""
    peaks: tuple[float, ...] = ()
    seconds: float | None = None


def shown(item: Any, modality: str) -> Shown:
    """Make an item small.

    Args:
        item: a path, a text or a uint8 picture.
        modality: "image", "text" or "audio".
    """
    try:
        if modality == "image":
            return Shown(thumbnail(item))
        if modality == "audio":
            return Shown(*audio_clip(item))
        return Shown(excerpt(str(item)))
    except Exception:  # decoders raise many kinds of errors on a damaged file
        return Shown()


def thumbnail(item: Path | str | bytes | np.ndarray, limit_bytes: int = IMAGE_BYTES) -> str:
    """Make a JPEG thumbnail as a data URI.

    Args:
        item: path or encoded bytes of an image, or uint8 of shape (H, W) or (H, W, 3).
        limit_bytes: of the whole data URI.

    Returns:
        "data:image/jpeg;base64,...", the longest side at most 320 pixels and fewer where it would not fit.
    """
    from PIL import Image, ImageOps

    from headstart.data.images import open_image

    with open_image(item) as opened:
        opened.draft("RGB", (IMAGE_SIDE, IMAGE_SIDE))
        picture = _rgb(ImageOps.exif_transpose(opened))
    if max(picture.size) < 96:  # tiny pictures are shown as they are, without smearing their pixels
        factor = 96 // max(picture.size) + 1
        picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    for side, quality in (
        (320, 70),
        (320, 50),
        (240, 60),
        (240, 40),
        (160, 50),
        (160, 30),
        (96, 40),
        (64, 30),
    ):
        small = picture.copy()
        small.thumbnail((side, side))
        file = io.BytesIO()
        small.save(file, "JPEG", quality=quality, optimize=True)
        if len(file.getvalue()) * 4 // 3 + 30 <= limit_bytes:
            break
    return _data_uri("image/jpeg", file.getvalue())


def _rgb(picture: Any) -> Any:
    """A picture of any mode as RGB: 16-bit grey scaled to 8 bits, transparency on white."""
    from PIL import Image

    if picture.mode in ("I;16", "I;16B", "I", "F"):
        values = np.asarray(picture, dtype=np.float64)
        span = (values.max() - values.min()) or 1.0
        picture = Image.fromarray(((values - values.min()) / span * 255).astype(np.uint8))
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        ground.alpha_composite(layer)
        picture = ground
    return picture.convert("RGB")


def audio_clip(
    item: Path | str | bytes, limit_bytes: int = AUDIO_BYTES
) -> tuple[str, tuple[float, ...], float | None]:
    """Make a short recording as a data URI, with its envelope.

    Args:
        item: path or encoded bytes of a recording that libsndfile reads.
        limit_bytes: of the FLAC file, before base64.

    Returns:
        ("data:audio/flac;base64,...", (80,) peaks from 0 to 1, seconds of the whole recording).
    """
    import soxr

    from headstart.data.audio import open_audio

    with open_audio(item) as file:
        rate_hz, seconds = int(file.samplerate), file.frames / file.samplerate
        samples = file.read(int(AUDIO_SECONDS * rate_hz), dtype="float32", always_2d=True).mean(axis=1)
    if samples.size == 0:
        return "", (), 0.0
    for rate in dict.fromkeys(min(rate_hz, rate) for rate in AUDIO_RATES):
        clip = soxr.resample(samples, rate_hz, rate) if rate != rate_hz else samples
        content = _flac(clip, rate)
        if len(content) <= limit_bytes:
            break
    while len(content) > limit_bytes and clip.size > rate // 4:
        clip = clip[: int(clip.size * max(0.25, 0.95 * limit_bytes / len(content)))]
        content = _flac(clip, rate)
    return _data_uri("audio/flac", content), envelope(clip), seconds


def _flac(samples: np.ndarray, rate_hz: int) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1.0, 1.0), rate_hz, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def envelope(samples: np.ndarray, n_peaks: int = N_PEAKS) -> tuple[float, ...]:
    """The largest magnitude in equal spans of a recording, over the largest of all.

    Args:
        samples: (n_samples,) float, not empty.
        n_peaks: how many spans.
    """
    loud = np.abs(samples)
    edges = np.linspace(0, loud.size, n_peaks + 1).astype(int)
    peaks = [float(loud[a : max(b, a + 1)].max(initial=0.0)) for a, b in pairwise(edges)]
    top = max(peaks) or 1.0
    return tuple(round(peak / top, 3) for peak in peaks)


def excerpt(text: str, n_characters: int = TEXT_CHARACTERS) -> str:
    """The beginning of a text on one line, cut at a word, with an ellipsis if something is left off."""
    head = " ".join(text[: 4 * n_characters].split())
    if len(head) <= n_characters and len(text) <= 4 * n_characters:
        return head
    short = textwrap.shorten(head, n_characters, placeholder=" …")
    return short if len(short) > 2 else head[: n_characters - 1] + "…"


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
