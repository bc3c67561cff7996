"""A recording as cells of time and frequency.

Cells are removed from its short-time Fourier transform, which then becomes a waveform again: so it does not matter
whether the network takes waveforms or makes a spectrogram. Removed cells are lowered to the level of the quietest
tenth of the recording to explain, and silenced to test.

Legend: P cells, M variants, S samples, F frequencies, T frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.data import AudioPreprocessing, decode_audio
from headstart.data.audio import fit_window
from headstart.explaining.parts.parts import Way

N_BANDS, MOST_TIMES = 6, 10
_LEAST_SECONDS = 0.05  # of a cell
_FRAME_SECONDS = 0.032
_QUIET = 0.1  # share of cells of the transform that are more quiet than a removed one


@dataclass(frozen=True, eq=False)
class RecordingParts:
    """A recording, cut into cells.

    Attributes:
        spectrum_FT: complex64, of its own samples.
        n_samples: of the recording; `n_window`: of the program's input.
        rate_hz: samples per second.
        bands_F, times_T: int64, band and span of time that a frequency and a frame lie in.
        n_times: spans of time.
    """

    spectrum_FT: Tensor
    n_samples: int
    n_window: int
    rate_hz: int
    bands_F: Tensor
    times_T: Tensor
    n_times: int

    @classmethod
    def of(cls, item: Any, preprocessing: AudioPreprocessing) -> RecordingParts:
        """Cut a recording.

        Args:
            item: a path or encoded bytes.
            preprocessing: of the run.

        Raises:
            DataError: it cannot be decoded.
        """
        rate_hz, window = preprocessing.rate_hz, preprocessing.window_samples
        assert window is not None  # every run has one
        waveform = decode_audio(item, rate_hz, window / rate_hz)
        padded, length = fit_window(waveform, window)
        spectrum = _transform(torch.from_numpy(padded[:length]), rate_hz)
        n_times = int(np.clip(length / rate_hz / _LEAST_SECONDS, 1, min(MOST_TIMES, spectrum.shape[1])))
        times = torch.arange(spectrum.shape[1]) * n_times // spectrum.shape[1]
        return cls(spectrum, length, window, rate_hz, _bands(len(spectrum), rate_hz), times, n_times)

    @property
    def n_parts(self) -> int:
        """Bands times spans of time."""
        return N_BANDS * self.n_times

    @property
    def places(self) -> Sequence[str]:
        """Seconds and hertz of each cell."""
        seconds = np.linspace(0, self.n_samples / self.rate_hz, self.n_times + 1)
        hz = self.edges_hz
        return [
            f"{seconds[time]:.2f} to {seconds[time + 1]:.2f} s, {hz[band]:.0f} to {hz[band + 1]:.0f} Hz"
            for band in range(N_BANDS)
            for time in range(self.n_times)
        ]

    @property
    def edges_hz(self) -> np.ndarray:
        """Where the bands begin and end, of shape (N_BANDS + 1,)."""
        starts = [int(torch.nonzero(self.bands_F == band)[0]) for band in range(N_BANDS)]
        return np.array([*starts, len(self.bands_F) - 1]) * self.rate_hz / 2 / (len(self.bands_F) - 1)

    def inputs(self, present_MP: np.ndarray, way: Way) -> tuple[Tensor, ...]:
        """Waveforms (M, window) without some cells, and their lengths (M,); see `Parts.inputs`."""
        cells = torch.from_numpy(np.ascontiguousarray(present_MP)).view(-1, N_BANDS, self.n_times)
        kept = cells[:, self.bands_F[:, None], self.times_T[None, :]]
        removed: Tensor | float = 0.0
        if way == "explain":
            loud = self.spectrum_FT.abs()
            quiet = torch.quantile(
                loud[:, :: max(1, loud.numel() // 1_000_000)], _QUIET
            )  # its limit is 16 million
            removed = self.spectrum_FT * (quiet / loud.clamp(min=1e-12)).clamp(max=1.0)
        own = _inverse(torch.where(kept, self.spectrum_FT, removed), self.rate_hz, self.n_samples)
        waveform = torch.zeros(len(kept), self.n_window)
        waveform[:, : self.n_samples] = own
        return waveform, torch.full((len(kept),), self.n_samples)


def _frame(rate_hz: int) -> int:
    return max(16, 1 << round(math.log2(_FRAME_SECONDS * rate_hz)))


def _transform(waveform_S: Tensor, rate_hz: int) -> Tensor:
    """The short-time Fourier transform of a waveform, of shape (F, T)."""
    size = _frame(rate_hz)
    how: dict[str, Any] = {"hop_length": size // 4, "window": torch.hann_window(size), "pad_mode": "constant"}
    return torch.stft(waveform_S, size, **how, return_complex=True)


def _inverse(spectra_MFT: Tensor, rate_hz: int, n_samples: int) -> Tensor:
    """Waveforms of shape (M, n_samples)."""
    size = _frame(rate_hz)
    found: Tensor = torch.istft(
        spectra_MFT, size, hop_length=size // 4, window=torch.hann_window(size), length=n_samples
    )
    return found


def _bands(n_frequencies: int, rate_hz: int) -> Tensor:
    """The band of each frequency: equally wide on the mel scale, none without a frequency."""
    hz = np.linspace(0, rate_hz / 2, n_frequencies)
    mel = np.log1p(hz / 700)
    starts = np.searchsorted(mel, mel[-1] * np.arange(N_BANDS) / N_BANDS)
    starts = np.maximum(starts, np.arange(N_BANDS))
    return torch.from_numpy(np.searchsorted(starts, np.arange(n_frequencies), side="right") - 1)
