"""Long recordings as windows of equal length, each read from its file when it is used.

Legend: N recordings, W windows of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np

from headstart.data.audio import open_audio
from headstart.data.content import Unreadable
from headstart.data.in_memory import wav_of
from headstart.data.items import Item, item_name
from headstart.data.preprocessing import ALIKE_SECONDS
from headstart.errors import DataError


class Windows(Sequence[Item]):
    """The windows of recordings, one after the other.

    A recording that is not longer than a window is one window, as it is. A longer one is cut into windows without
    gaps; the last one ends with the recording, and overlaps the one before.

    Args:
        items: N paths or encoded bytes.
        seconds: of each recording, of shape (N,).
        window_seconds: length of a window.

    Attributes:
        recording: position of the recording of each window, of shape (W,).
        starts: where each window begins, in seconds, of shape (W,).
        ends: where it ends, in seconds, of shape (W,).
    """

    def __init__(self, items: Sequence[Item], seconds: np.ndarray, window_seconds: float) -> None:
        self._items = items
        starts = [_starts(float(each), window_seconds) for each in seconds]
        self.recording = np.repeat(np.arange(len(starts)), [len(each) for each in starts])
        self.starts = np.concatenate([*starts, np.zeros(0)])
        self.ends = np.minimum(self.starts + window_seconds, np.asarray(seconds)[self.recording])
        self._is_whole = np.bincount(self.recording, minlength=len(starts))[self.recording] == 1

    def __len__(self) -> int:
        return len(self.recording)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        item = self._items[int(self.recording[index])]
        if self._is_whole[index]:
            return item
        try:
            with open_audio(item) as sound:
                rate_hz = int(sound.samplerate)
                first, last = (round(float(at[index]) * rate_hz) for at in (self.starts, self.ends))
                sound.seek(min(first, max(int(sound.frames) - 1, 0)))
                samples = sound.read(max(last - first, 1), dtype="float32", always_2d=True)
        except (Unreadable, RuntimeError, OSError) as error:  # libsndfile's own errors are RuntimeErrors
            raise DataError(f"{item_name(item)} cannot be read: {error}") from None
        return wav_of(samples.mean(axis=1), rate_hz)


def _starts(seconds: float, window: float) -> np.ndarray:
    """Where the windows of one recording begin, in seconds."""
    if seconds <= window + ALIKE_SECONDS:
        return np.zeros(1)
    whole = np.arange(int((seconds + ALIKE_SECONDS) // window)) * window
    rest = seconds - (whole[-1] + window)
    return whole if rest <= ALIKE_SECONDS else np.append(whole, seconds - window)
