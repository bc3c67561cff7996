"""The Audio Spectrogram Transformer (Gong et al. 2021, arXiv:2104.01778), front end inside.

Its positions are learned for one length (10.24 s): every clip is brought to it, as in its feature extractor.

Legend: N clips, L samples, T frames (100 per second), M mel bands, D features.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from headstart.sources.frames import own_mask
from headstart.sources.transformers.spectra import KaldiFilterBank

_HOP = 160
_FRAME = 400


class SpectrogramTransformerNetwork(nn.Module):
    """Waveform to the mean of the two class tokens, as the class itself pools.

    Args:
        model: transformers' ASTModel.
        front_end: the settings of its feature extractor.
    """

    def __init__(self, model: Any, front_end: Mapping[str, Any]) -> None:
        super().__init__()
        self.n_frames = int(front_end.get("max_length", 1024))
        n_mel_bands = int(front_end.get("num_mel_bins", 128))
        self.front_end = KaldiFilterBank(n_mel_bands, int(front_end.get("sampling_rate", 16000)))
        scaled = bool(front_end.get("do_normalize", True))
        self.mean = float(front_end.get("mean", -4.2677393)) if scaled else 0.0
        self.deviation = float(front_end.get("std", 4.5689974)) * 2 if scaled else 1.0
        self.model = model
        config = model.config
        self.n_bands = (n_mel_bands - config.patch_size) // config.frequency_stride + 1
        self.patch_frames, self.step = int(config.patch_size), int(config.time_stride)

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """Return the embedding, float32 of shape (N, D).

        Args:
            waveform: float32 of shape (N, L), mono, zeros after the clip's end.
            lengths: int64 of shape (N,), number of own samples of each clip.
        """
        output: Any = self.model(**self.library_inputs(waveform, lengths))
        pooled: Tensor = output.pooler_output
        return pooled

    def library_inputs(self, waveform: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """Return the inputs of the library's own class."""
        log_mel_NTM = self.front_end(waveform)[:, : self.n_frames]
        log_mel_NTM = F.pad(log_mel_NTM, (0, 0, 0, self.n_frames - log_mel_NTM.shape[1]))
        # the extractor pads the spectrogram with zeros, not the waveform
        own_NT1 = own_mask(self._n_own_frames(lengths), self.n_frames)[:, :, None]
        return {"input_values": (log_mel_NTM * own_NT1 - self.mean) / self.deviation}

    def own_positions(self, shape: tuple[int, ...], inputs: Mapping[str, Tensor]) -> Tensor:
        """Return the mask (N, T) of class tokens and of patches that begin in the clip; shape is (T,)."""
        n_steps = (shape[0] - 2) // self.n_bands
        steps = -(-self._n_own_frames(inputs["lengths"]) // self.step)
        patches = own_mask(steps.clamp(min=1), n_steps).repeat(1, self.n_bands)  # the model lays band by band
        return F.pad(patches, (2, 0), value=True)

    def _n_own_frames(self, lengths: Tensor) -> Tensor:
        return ((lengths - _FRAME) // _HOP + 1).clamp(min=1)
