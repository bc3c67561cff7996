"""Pictures and recordings that a script holds in the objects of other libraries, as items."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from headstart.errors import DataError


def is_one_object(value: Any) -> bool:
    """Whether a value is one picture or recording of another library, and not a list of items."""
    return _is_pil(value) or isinstance(value, Mapping)


def as_item(value: Any, name: str) -> Any:
    """A picture of PIL as an array, a waveform with its rate as the bytes of a WAV file; anything else as it is.

    Args:
        value: what a script passes as one item. A recording is a dictionary with `array`, of shape (n_samples,) or
            (n_channels, n_samples), and `sampling_rate` in Hz; or with `bytes` or `path`, as `datasets` gives them.
        name: of the item, for messages.

    Raises:
        DataError: a picture is damaged, or a dictionary is no recording and no file.
    """
    if _is_pil(value):
        return _pixels(value, name)
    if not isinstance(value, Mapping):
        return value
    if value.get("array") is not None and value.get("sampling_rate"):
        return _wav(value["array"], value["sampling_rate"], name)
    if isinstance(value.get("bytes"), bytes) or value.get("path"):
        return value.get("bytes") or str(value["path"])
    raise DataError(
        f"{name} is a dictionary of {', '.join(map(str, list(value)[:5])) or 'nothing'}: a recording has 'array' and "
        "'sampling_rate', a file 'bytes' or 'path'"
    )


def _is_pil(value: Any) -> bool:
    return type(value).__module__.startswith("PIL.") and hasattr(value, "convert")


def _pixels(picture: Any, name: str) -> np.ndarray:
    """The pixels that its file would give: turned as the camera wrote, without transparency or deep grey."""
    from PIL import ImageOps

    from headstart.data.content import Unreadable
    from headstart.data.images import load, plain_colours

    try:
        load(picture)
    except Unreadable as error:
        raise DataError(f"{name}: {error}") from None
    return np.asarray(plain_colours(ImageOps.exif_transpose(picture)))


def _wav(samples: Any, rate_hz: Any, name: str) -> bytes:
    """The bytes of a WAV file of float32 samples, the mean of all channels."""
    try:
        waveform = np.asarray(samples, dtype=np.float32)
        rate = int(rate_hz)
    except (TypeError, ValueError):
        raise DataError(f"{name}: 'array' must hold numbers, and 'sampling_rate' be one") from None
    if waveform.ndim == 2:
        waveform = waveform.mean(axis=int(np.argmin(waveform.shape)))
    if waveform.ndim != 1 or not len(waveform) or rate < 1:
        raise DataError(
            f"{name}: 'array' must have shape (n_samples,) or (n_channels, n_samples) and 'sampling_rate' be in Hz, "
            f"got {np.shape(samples)} at {rate_hz}"
        )
    return wav_of(waveform, rate)


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
