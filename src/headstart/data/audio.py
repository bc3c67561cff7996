"""Decode recordings: mono (the mean of all channels), float32, at the rate a source takes.

libsndfile reads WAV (8 bit to float), FLAC, OGG, Opus, MP3, AIFF and more; soxr resamples (its "HQ" setting).
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.items import Item, Unreadable, item_name
from headstart.errors import DataError

_BLOCK = 1 << 18  # samples of a channel read at once while the rest of a long recording is checked
_UNSUPPORTED = frozenset([".m4a", ".aac", ".wma", ".mp4"])


def decode_audio(item: Item, rate_hz: int, max_seconds: float | None = None) -> np.ndarray:
    """One recording as a mono waveform.

    Args:
        item: a path or encoded bytes.
        rate_hz: samples per second wanted.
        max_seconds: anything after this is neither read nor kept.

    Returns:
        float32 (n_samples,), full scale at 1.

    Raises:
        DataError: it cannot be decoded; names the item.
    """
    try:
        waveform, own_rate_hz = read_waveform(item, max_seconds)
    except Unreadable as error:
        raise DataError(f"{item_name(item)}: {error}") from None
    if own_rate_hz != rate_hz:
        import soxr

        waveform = soxr.resample(waveform, own_rate_hz, rate_hz)
    if max_seconds is not None:
        waveform = waveform[: round(max_seconds * rate_hz)]
    return np.ascontiguousarray(waveform, dtype=np.float32)


def read_waveform(item: Item, max_seconds: float | None = None) -> tuple[np.ndarray, int]:
    """The mono waveform of a recording at its own rate.

    Args:
        item: a path or encoded bytes.
        max_seconds: read no more than this; None for all.

    Returns:
        float32 (n_samples,) and the rate in Hz.

    Raises:
        Unreadable: empty, damaged, of a format that libsndfile does not know, or with values that are not
            numbers.
    """
    with open_audio(item) as sound:
        return _beginning(sound, max_seconds), int(sound.samplerate)


def _beginning(sound: Any, max_seconds: float | None) -> np.ndarray:
    """float32 (n_samples,) mono from the current position of an opened recording."""
    limit = -1 if max_seconds is None else math.ceil(max_seconds * sound.samplerate)
    samples = _read(sound, limit)
    _require_whole(sound, len(samples), sound.frames if limit < 0 else min(limit, sound.frames))
    if len(samples) == 0:
        raise Unreadable("the recording has no samples")
    waveform: np.ndarray = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    if not np.isfinite(waveform).all():
        raise Unreadable("the recording holds values that are not numbers")
    return waveform


def _read(sound: Any, n_frames: int) -> np.ndarray:
    """float32 (n_frames at most, n_channels) from the current position of an opened recording."""
    try:
        return np.asarray(sound.read(n_frames, dtype="float32", always_2d=True))
    except Exception as error:  # soundfile raises several kinds on a damaged stream
        raise Unreadable(f"damaged {sound.format} recording ({error})") from None


def survey(item: Item, keep_seconds: float = 30.0) -> tuple[np.ndarray, int, float]:
    """Read a recording whole, in blocks, and keep its beginning.

    Args:
        item: a path or encoded bytes.
        keep_seconds: of the waveform to return.

    Returns:
        float32 (n_samples,) mono beginning, the rate in Hz, and the duration of the whole in seconds.

    Raises:
        Unreadable: see `read_waveform`.
    """
    with open_audio(item) as sound:
        waveform = _beginning(sound, keep_seconds)
        n_read = len(waveform)
        while n_read < sound.frames and (block := len(_read(sound, _BLOCK))):
            n_read += block
        _require_whole(sound, n_read, sound.frames)
        return waveform, int(sound.samplerate), n_read / sound.samplerate


def _require_whole(sound: Any, n_read: int, n_expected: int) -> None:
    """Refuse a recording that ends before its header says; an MP3's length is only estimated."""
    if sound.format != "MP3" and 0 < n_expected < 2**62 and n_read < 0.99 * n_expected:
        raise Unreadable(f"truncated recording: {n_read:,} of {n_expected:,} samples could be read")


def open_audio(item: Item) -> Any:
    """Open a recording as a `soundfile.SoundFile`.

    Raises:
        Unreadable: missing, empty, or nothing that libsndfile can read.
    """
    import soundfile

    if isinstance(item, (str, Path)):
        path = Path(item)
        try:
            empty = path.stat().st_size == 0
        except OSError as error:
            raise Unreadable(f"cannot be read ({error.strerror or error})") from None
        if path.suffix.lower() in _UNSUPPORTED:
            raise Unreadable(
                f"{path.suffix} is not supported: convert it, for example ffmpeg -i IN{path.suffix} OUT.wav"
            )
        opened: Any = str(path)
    elif isinstance(item, bytes):
        empty, opened = not item, io.BytesIO(item)
    else:
        raise Unreadable("a recording must be a path or encoded bytes, not an array")
    if empty:
        raise Unreadable("the file is empty")
    try:
        return soundfile.SoundFile(opened)
    except (RuntimeError, OSError, TypeError) as error:
        reason = str(error).split(": ")[-1]
        raise Unreadable(f"not a recording that can be read ({reason})") from None


def fit_window(waveform: np.ndarray, n_samples: int) -> tuple[np.ndarray, int]:
    """A waveform cut or zero-padded at its end to a window.

    Args:
        waveform: float32 (n_own,).
        n_samples: of the window.

    Returns:
        float32 (n_samples,) and the number of its own samples in it.
    """
    length = min(len(waveform), n_samples)
    window = np.zeros(n_samples, dtype=np.float32)
    window[:length] = waveform[:length]
    return window, length
