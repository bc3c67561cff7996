"""Spectrograms in torch, inside the network, so that a network takes a waveform and can be exported.

Legend: N clips, L samples, T frames, B frequency bins, M mel bands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class WhisperFrontEnd(nn.Module):
    """Log-mel spectrogram as transformers' WhisperFeatureExtractor computes it, on the window given.

    log10 of the mel power, at least 1e-10 and at least the clip's own maximum minus 8, then (x + 4) / 4.

    Args:
        settings: the extractor's own values: feature_size, n_fft, hop_length, sampling_rate.
    """

    window: Tensor
    mel_BM: Tensor

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        from transformers.audio_utils import mel_filter_bank

        self.n_fft = int(settings.get("n_fft", 400))
        self.hop = int(settings.get("hop_length", 160))
        rate_hz = int(settings.get("sampling_rate", 16000))
        mel = mel_filter_bank(
            num_frequency_bins=1 + self.n_fft // 2,
            num_mel_filters=int(settings.get("feature_size", 80)),
            min_frequency=0.0,
            max_frequency=8000.0,
            sampling_rate=rate_hz,
            norm="slaney",
            mel_scale="slaney",
        )
        self.register_buffer("mel_BM", torch.from_numpy(mel).float(), persistent=False)
        self.register_buffer("window", torch.hann_window(self.n_fft), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return log-mel values of shape (N, M, T), T = L // hop, of a waveform of shape (N, L)."""
        spectrum = torch.stft(waveform, self.n_fft, self.hop, window=self.window, return_complex=True)
        power = spectrum[..., :-1].abs() ** 2
        log_mel = (self.mel_BM.T @ power).clamp(min=1e-10).log10()
        loudest = log_mel.amax((1, 2), keepdim=True)
        return (torch.maximum(log_mel, loudest - 8.0) + 4.0) / 4.0


class KaldiFilterBank(nn.Module):
    """Log-mel filter bank of Kaldi's layout, as transformers' ASTFeatureExtractor computes it.

    Frames of 25 ms every 10 ms, each centred, pre-emphasised by 0.97 and windowed; natural log of mel power.

    Args:
        n_mel_bands: number of bands.
        rate_hz: samples per second.
    """

    window: Tensor
    mel_BM: Tensor

    def __init__(self, n_mel_bands: int, rate_hz: int) -> None:
        super().__init__()
        from transformers.audio_utils import mel_filter_bank

        mel = mel_filter_bank(
            num_frequency_bins=257,
            num_mel_filters=n_mel_bands,
            min_frequency=20,
            max_frequency=rate_hz // 2,
            sampling_rate=rate_hz,
            norm=None,
            mel_scale="kaldi",
            triangularize_in_mel_space=True,
        )
        self.register_buffer("mel_BM", torch.from_numpy(mel).float(), persistent=False)
        self.register_buffer("window", torch.hann_window(400, periodic=False), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return log-mel values of shape (N, T, M), T = 1 + (L - 400) // 160, of waveforms (N, L)."""
        frames = waveform.unfold(1, 400, 160)
        frames = frames - frames.mean(2, keepdim=True)
        emphasised = frames - 0.97 * torch.cat([frames[..., :1], frames[..., :-1]], dim=2)
        power = torch.fft.rfft(emphasised * self.window, n=512).abs().square()
        log_mel: Tensor = (power @ self.mel_BM).clamp(min=1.192092955078125e-07).log()
        return log_mel
