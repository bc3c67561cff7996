"""Pictures and recordings that a script holds in the objects of other libraries, as items."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.preprocessing import LEAST_HZ, MOST_HZ
from headstart.errors import DataError, one_line, shortened

ITEMS = "a path, a text, a PIL image, a uint8 picture, encoded bytes, or a recording {'array': …, 'sampling_rate': …}"
_LOUDEST = 1e6


def is_one_object(value: Any) -> bool:
    """Whether a value is one picture or recording of another library, and not a list of items."""
    return _is_pil(value) or isinstance(value, Mapping)


def as_item(value: Any, name: str) -> Any:
    """A picture of PIL as an array, a waveform with its rate as the bytes of a WAV file, other items as they are.

    Args:
        value: what a script passes as one item. A recording is a dictionary with `array`, of shape (n_samples,) or
            (n_channels, n_samples), and `sampling_rate` in Hz; or with `bytes` or `path`, as `datasets` gives them.
        name: of the item, for messages.

    Raises:
        DataError: a picture is damaged, or the value is no item.
    """
    if _is_pil(value):
        return _pixels(value, name)
    if isinstance(value, Mapping):
        return _from_mapping(value, name)
    if isinstance(value, str | Path | bytes | np.ndarray):
        return value
    raise DataError(f"{name} is of type {type(value).__name__}: an item is {ITEMS}")


def _from_mapping(value: Mapping[str, Any], name: str) -> Any:
    if value.get("array") is not None:
        return _wav(value["array"], value.get("sampling_rate"), name)
    encoded, path = value.get("bytes"), value.get("path")
    if isinstance(encoded, bytes) and encoded:
        return encoded
    if isinstance(path, str | Path) and str(path):
        return path
    raise DataError(
        f"{name} is a dictionary of {', '.join(map(str, list(value)[:5])) or 'nothing'}: a recording has 'array' and "
        "'sampling_rate', a file has 'bytes' or 'path'"
    )


def _is_pil(value: Any) -> bool:
    return type(value).__module__.startswith("PIL.") and hasattr(value, "convert")


def _pixels(picture: Any, name: str) -> np.ndarray:
    """The pixels that its file would give: turned as the camera wrote, without transparency or deep grey."""
    from PIL import ImageOps

    from headstart.data.images import load, plain_colours

    try:
        load(picture)
        pixels = np.asarray(plain_colours(ImageOps.exif_transpose(picture)))
    except Exception as error:  # Pillow raises many kinds of errors, and Unreadable comes from headstart
        raise DataError(f"{name} is no picture that can be used: {one_line(error)}") from None
    if not pixels.size:
        raise DataError(f"{name} has no pixels")
    return pixels


def _wav(samples: Any, rate_hz: Any, name: str) -> bytes:
    """The bytes of a WAV file of float32 samples, the mean of all channels; whole numbers are scaled to 1."""
    try:
        given = np.asarray(samples)
        is_number = np.issubdtype(given.dtype, np.floating) or np.issubdtype(given.dtype, np.integer)
        rate = -1.0 if isinstance(rate_hz, bool) else float(rate_hz)
    except (TypeError, ValueError, OverflowError):
        is_number, rate = False, -1.0
    if not is_number or not LEAST_HZ <= rate <= MOST_HZ or rate != int(rate):
        raise DataError(
            f"{name}: 'array' must hold numbers, and 'sampling_rate' must be a whole number of Hz from {LEAST_HZ:,} to "
            f"{MOST_HZ:,}, got {shortened(repr(rate_hz))}"
        )
    if given.ndim not in (1, 2) or not given.size:
        raise DataError(
            f"{name}: 'array' must have shape (n_samples,) or (n_channels, n_samples), got {given.shape}"
        )
    if np.issubdtype(given.dtype, np.integer):
        about = np.iinfo(given.dtype)
        middle = 0.0 if about.min else (about.max + 1) / 2  # unsigned samples lie around the middle
        given = (given.astype(np.float64) - middle) / ((about.max + 1) / (1 if about.min else 2))
    if not np.isfinite(given).all() or np.abs(given).max() > _LOUDEST:
        raise DataError(
            f"{name}: 'array' holds values that are not finite, or far above 1, which is full scale"
        )
    waveform = given.astype(np.float32)
    return wav_of(waveform if given.ndim == 1 else waveform.mean(axis=int(np.argmin(given.shape))), int(rate))


def wav_of(waveform: np.ndarray, rate_hz: int) -> bytes:
    """The bytes of a WAV file.

    Args:
        waveform: float32 samples of shape (n_samples,).
        rate_hz: samples per second.
    """
    import soundfile

    held = io.BytesIO()
    soundfile.write(held, waveform, rate_hz, format="WAV", subtype="FLOAT")
    return held.getvalue()
