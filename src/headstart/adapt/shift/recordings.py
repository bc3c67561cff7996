"""Statistics of recordings that tell another microphone, line or room: level, bandwidth, silence, length.

level       of the whole, in dB relative to full scale (a full-scale square wave has 0)
bandwidth   frequency in Hz below which 99% of the energy lies
silence     share of frames of 25 ms that are 40 dB or more below the loudest
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Float
from headstart.data.audio import open_audio, read_waveform
from headstart.data.content import Unreadable
from headstart.data.items import Item, item_name
from headstart.data.preprocessing import AudioPreprocessing, with_window
from headstart.errors import DataError

MOST_SECONDS = 10.0  # of each recording
_FRAME_SECONDS = 0.025
_SILENT_DB = 40.0
_ENERGY = 0.99


def recording_statistics(items: Sequence[Item]) -> dict[str, Float]:
    """Return statistics by name, each of shape (n_items,).

    Args:
        items: paths or encoded bytes; take a sample of a large set.

    Raises:
        DataError: an item cannot be decoded.
    """
    rows = [_of_item(item) for item in items]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]} if rows else {}


@dataclass(frozen=True)
class Windows:
    """The windows that a network would use for each domain alone: as long as its longest recording.

    Attributes:
        source_seconds, target_seconds: of the windows.
        cut: share of the target's recordings that are longer than the window of the source.
    """

    source_seconds: float
    target_seconds: float
    cut: float

    @property
    def differ(self) -> bool:
        """Whether they are different: features of one window cannot be compared with those of another."""
        return self.source_seconds != self.target_seconds

    def to_json(self) -> dict[str, float]:
        """The same as a dictionary that JSON can hold."""
        return asdict(self)


def compare_windows(
    preprocessing: AudioPreprocessing, seconds_N: NDArray[np.floating], seconds_M: NDArray[np.floating]
) -> Windows:
    """Compare the windows of two domains.

    Args:
        preprocessing: of the network.
        seconds_N: durations of the source recordings, of shape (N,).
        seconds_M: durations of the target recordings, of shape (M,).
    """
    windows = [
        (with_window(preprocessing, seconds).window_samples or 0) / preprocessing.rate_hz
        for seconds in (seconds_N, seconds_M)
    ]
    # with_window allows a thousandth of a step above the window
    longer = np.asarray(seconds_M) > windows[0] + 1e-3 * preprocessing.window_multiple_seconds
    return Windows(windows[0], windows[1], float(longer.mean()))


def _of_item(item: Item) -> dict[str, float]:
    try:
        waveform, rate_hz = read_waveform(item, MOST_SECONDS)
        with open_audio(item) as sound:
            seconds = sound.frames / sound.samplerate
    except Unreadable as error:
        raise DataError(f"{item_name(item)}: {error}") from None
    found = statistics(waveform, rate_hz)
    found["length in s"] = float(seconds)
    return found


def statistics(waveform: NDArray[np.float32], rate_hz: int) -> dict[str, float]:
    """Return level, bandwidth and silence of one waveform.

    Args:
        waveform: of shape (n_samples,), full scale at 1.
        rate_hz: its rate.
    """
    samples = waveform.astype(np.float64)
    power = float(np.square(samples).mean())
    energy = np.abs(np.fft.rfft(samples)) ** 2
    energy[0] = 0.0  # an offset is no sound
    total = float(energy.sum())
    place = int(np.searchsorted(np.cumsum(energy), _ENERGY * total)) if total > 0 else 0
    width = max(1, int(_FRAME_SECONDS * rate_hz))
    n_frames = max(1, len(samples) // width)
    frames = np.square(samples[: n_frames * width]).reshape(n_frames, -1).mean(axis=1)
    silent = frames <= frames.max() * 10 ** (-_SILENT_DB / 10)
    return {
        "level in dB": 10 * float(np.log10(max(power, 1e-12))),
        "bandwidth in Hz": place * rate_hz / len(samples),
        "silence": float(silent.mean()),
    }
