"""Whisper's encoder on a window of any length up to 30 s, front end inside.

transformers refuses anything but 30 s; a clip of 2 s costs a twelfth in a window of 3 s. Features of
different window lengths do not mix, so one window is used for a whole data set (`with_window`).

Legend: N clips, L samples, M mel bands, T frames (50 per second), D features.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from headstart.sources.frames import mean_over_frames
from headstart.sources.transformers.spectra import WhisperFrontEnd


class WhisperNetwork(nn.Module):
    """Waveform to the mean of the encoder's last states over the clip's own frames.

    Args:
        model: transformers' WhisperEncoder.
        front_end: the settings of the feature extractor.
    """

    def __init__(self, model: Any, front_end: Mapping[str, Any]) -> None:
        super().__init__()
        self.front_end = WhisperFrontEnd(front_end)
        self.model = model
        self.embeddings = nn.Identity()  # a place to read the states before the first layer
        layers = {f"layer.{index}": f"model.layers.{index}" for index in range(len(model.layers))}
        self.stages = {"embeddings": "embeddings", **layers}

    @property
    def window_samples(self) -> int:
        """The samples of the one window that the library's own class takes."""
        return 2 * int(self.model.embed_positions.weight.shape[0]) * self.front_end.hop

    def library_inputs(self, waveform: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """Return the inputs of the library's own class, for a window of `window_samples`."""
        return {"input_features": self.front_end(waveform)}

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """Return the embedding, float32 of shape (N, D).

        Args:
            waveform: float32 of shape (N, L), mono, zeros after the clip's end.
            lengths: int64 of shape (N,), number of own samples of each clip.
        """
        log_mel_NMT = self.library_inputs(waveform, lengths)["input_features"]
        hidden = F.gelu(self.model.conv1(log_mel_NMT))
        hidden_NTD = F.gelu(self.model.conv2(hidden)).transpose(1, 2)
        hidden_NTD = hidden_NTD + self.model.embed_positions.weight[: hidden_NTD.shape[1]]
        hidden_NTD = self.embeddings(hidden_NTD)
        for layer in self.model.layers:
            hidden_NTD = layer(hidden_NTD, None)
        hidden_NTD = self.model.layer_norm(hidden_NTD)
        samples_a_frame = 2 * self.front_end.hop
        n_own = ((lengths + samples_a_frame - 1) // samples_a_frame).clamp(min=1)
        return mean_over_frames(hidden_NTD, n_own)


def encoder_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the encoder's tensors by its own names, out of a whole Whisper or of an encoder alone."""
    for prefix in ("model.encoder.", "encoder."):
        found = {
            name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)
        }
        if found:
            return found
    return dict(tensors)
