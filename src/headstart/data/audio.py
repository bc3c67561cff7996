"""Decode recordings: mono (the mean of all channels), float32, at the rate a source takes.

libsndfile reads WAV (8 bit to float), FLAC, OGG, Opus, MP3, AIFF and more; soxr resamples (its "HQ" setting).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from headstart.data.content import Unreadable, digest_of, open_bytes, require_digest
from headstart.data.items import Item, item_name
from headstart.errors import DataError

_BLOCK = 1 << 18  # samples of a channel read at once while the rest of a long recording is checked
_UNSUPPORTED = frozenset([".m4a", ".aac", ".wma", ".mp4"])


def decode_audio(item: Item, rate_hz: int, max_seconds: float | None = None, digest: str = "") -> np.ndarray:
    """One recording as a mono waveform.

    Args:
        item: a path or encoded bytes.
        rate_hz: samples per second wanted.
        max_seconds: anything after this is not decoded.
        digest: of the content that is expected; "": any.

    Returns:
        float32 (n_samples,), full scale at 1.

    Raises:
        DataError: it cannot be decoded, or has another digest; names the item.
    """
    try:
        waveform, own_rate_hz = read_waveform(item, max_seconds, digest)
    except Unreadable as error:
        raise DataError(f"{item_name(item)}: {error}") from None
    if own_rate_hz != rate_hz:
        import soxr

        waveform = soxr.resample(waveform, own_rate_hz, rate_hz)
    if max_seconds is not None:
        waveform = waveform[: round(max_seconds * rate_hz)]
    return np.ascontiguousarray(waveform, dtype=np.float32)


def read_waveform(item: Item, max_seconds: float | None = None, digest: str = "") -> tuple[np.ndarray, int]:
    """The mono waveform of a recording at its own rate.

    Args:
        item: a path or encoded bytes.
        max_seconds: decode no more than this; None for all.
        digest: of the content that is expected; "": any.

    Returns:
        float32 (n_samples,) and the rate in Hz.

    Raises:
        Unreadable: empty, damaged, of a format that libsndfile does not know, with values that are not
            numbers, or with another digest.
    """
    with open_audio(item, digest) as sound:
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


@dataclass(frozen=True)
class Survey:
    """What one pass over a recording found.

    Attributes:
        waveform: float32 (n_samples,), the mono beginning.
        rate_hz: its rate.
        seconds: the duration of the whole.
        digest: of the bytes that were decoded.
    """

    waveform: np.ndarray
    rate_hz: int
    seconds: float
    digest: str


def survey(item: Item, keep_seconds: float = 30.0) -> Survey:
    """Decode a recording whole, in blocks, and keep its beginning.

    Args:
        item: a path or encoded bytes.
        keep_seconds: of the waveform to return.

    Raises:
        Unreadable: see `read_waveform`.
    """
    with _encoded(item) as file:
        digest = digest_of(file)
        with _sound(file) as sound:
            waveform = _beginning(sound, keep_seconds)
            n_read = len(waveform)
            while n_read < sound.frames and (block := len(_read(sound, _BLOCK))):
                n_read += block
            _require_whole(sound, n_read, sound.frames)
            return Survey(waveform, int(sound.samplerate), n_read / sound.samplerate, digest)


def _require_whole(sound: Any, n_read: int, n_expected: int) -> None:
    """Refuse a recording that ends before its header says; an MP3's length is only estimated."""
    if sound.format != "MP3" and 0 < n_expected < 2**62 and n_read < 0.99 * n_expected:
        raise Unreadable(f"truncated recording: {n_read:,} of {n_expected:,} samples could be read")


@contextmanager
def open_audio(item: Item, digest: str = "") -> Iterator[Any]:
    """Open a recording as a `soundfile.SoundFile` for a block.

    Args:
        item: a path or encoded bytes.
        digest: of the content that is expected; "": any.

    Raises:
        Unreadable: missing, empty, nothing that libsndfile can read, or of another digest.
    """
    with _encoded(item) as file:
        if digest:
            require_digest(digest_of(file), digest)
        with _sound(file) as sound:
            yield sound


def _encoded(item: Item) -> IO[bytes]:
    """The bytes of a recording, as a file that is not empty."""
    if isinstance(item, np.ndarray):
        raise Unreadable("a recording must be a path or encoded bytes, not an array")
    encoded = item if isinstance(item, bytes) else Path(item)
    file = open_bytes(encoded)
    suffix = "" if isinstance(encoded, bytes) else encoded.suffix
    if not file.read(1):
        problem = "the file is empty"
    elif suffix.lower() in _UNSUPPORTED:
        problem = f"{suffix} is not supported: convert it, for example ffmpeg -i IN{suffix} OUT.wav"
    else:
        file.seek(0)
        return file
    file.close()
    raise Unreadable(problem)


class _Steady:
    """A file for libsndfile, which seeks before the beginning of a damaged one: that must not raise in its callback."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.read, self.tell = file.read, file.tell
        self.readinto: Any = file.readinto  # type: ignore[attr-defined]

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position, or stay."""
        with suppress(OSError, ValueError):
            self._file.seek(offset, whence)
        return self._file.tell()


def _sound(file: IO[bytes]) -> Any:
    import soundfile

    try:
        return soundfile.SoundFile(_Steady(file))
    except Exception as error:  # libsndfile's errors, and those of reading the file
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
