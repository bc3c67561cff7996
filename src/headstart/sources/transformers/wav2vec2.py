"""The Wav2Vec2 family (Wav2Vec2, HuBERT, WavLM, Data2Vec-Audio) on raw waveforms, front end inside.

A padded clip gives the same embedding as the clip alone. transformers promises that only for checkpoints that normalise
each frame (`feat_extract_norm="layer"`); those that normalise over time ("group") take padding into their
statistics, and Data2Vec's positional convolutions read padding. Here both see the clip's own frames only.

Legend: N clips, L samples, C channels, T frames (about 50 per second), D features.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from headstart.sources.frames import mean_over_frames, own_mask


class Wav2Vec2Network(nn.Module):
    """Waveform to the mean of the encoder's last states over the clip's own frames.

    Args:
        model: a model of the family, from transformers.
        front_end: the settings of its feature extractor; `do_normalize` gives mean 0, deviation 1.
    """

    def __init__(self, model: Any, front_end: Mapping[str, Any]) -> None:
        super().__init__()
        self.normalise = bool(front_end.get("do_normalize", True))
        self.kernels = tuple(int(size) for size in model.config.conv_kernel)
        self.strides = tuple(int(size) for size in model.config.conv_stride)
        self.model = model
        # with a norm after the last layer the embedding is more than the mean of that layer's states
        self.embedding_is_mean = not getattr(model.config, "do_stable_layer_norm", False)
        positions = model.encoder.pos_conv_embed
        if isinstance(getattr(positions, "layers", None), nn.ModuleList):
            model.encoder.pos_conv_embed = OwnPositions(positions.layers)

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """Return the embedding, float32 of shape (N, D).

        Args:
            waveform: float32 of shape (N, L), mono, zeros after the clip's end.
            lengths: int64 of shape (N,), number of own samples of each clip.
        """
        waveform = self.library_inputs(waveform, lengths)["input_values"]
        hidden_NTD = self._frames(waveform, lengths).transpose(1, 2)
        own_N = self.n_own_frames(lengths)
        projected: Any = self.model.feature_projection(hidden_NTD)
        hidden_NTD = projected[0] if isinstance(projected, tuple) else projected
        mask_NT = own_mask(own_N, hidden_NTD.shape[1])
        hidden_NTD = hidden_NTD * mask_NT[:, :, None]  # a copy: the encoder writes zeros into it
        output: Any = self.model.encoder(hidden_NTD, attention_mask=mask_NT)
        return mean_over_frames(output[0], own_N)

    def library_inputs(self, waveform: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """Return the inputs of the library's own class."""
        return {"input_values": standardised(waveform, lengths) if self.normalise else waveform}

    def own_positions(self, shape: tuple[int, ...], inputs: Mapping[str, Tensor]) -> Tensor:
        """Return the mask (N, T) of each clip's own frames, by which every stage is pooled; shape is (T,)."""
        return own_mask(self.n_own_frames(inputs["lengths"]), shape[0])

    def n_own_frames(self, lengths: Tensor, n_layers: int | None = None) -> Tensor:
        """Return the frames, at least 1, that lie wholly inside each clip after the first convolutions.

        Args:
            lengths: int64 of shape (N,), number of own samples of each clip.
            n_layers: how many convolutions; None: all.
        """
        for kernel, stride in list(zip(self.kernels, self.strides, strict=True))[:n_layers]:
            lengths = (lengths - kernel) // stride + 1
        return lengths.clamp(min=1)

    def _frames(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """The convolutions: (N, C, T); a norm over time sees each clip's own frames only."""
        hidden_NCT = waveform[:, None]
        for index, layer in enumerate(self.model.feature_extractor.conv_layers):
            norm = getattr(layer, "layer_norm", None)
            if isinstance(norm, nn.GroupNorm):
                hidden_NCT = layer.conv(hidden_NCT)
                own_N = self.n_own_frames(lengths, index + 1)
                hidden_NCT = layer.activation(norm_over_own_frames(norm, hidden_NCT, own_N))
            else:
                hidden_NCT = layer(hidden_NCT)
        return hidden_NCT


class OwnPositions(nn.Module):
    """Data2Vec-Audio's positional convolutions, each seeing zeros where a clip has ended.

    Args:
        layers: the convolutions, under the names that they have in transformers.
    """

    def __init__(self, layers: nn.ModuleList) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, hidden_NTD: Tensor) -> Tensor:
        """Return the positions' share, of shape (N, T, D); padded frames come in as zeros."""
        own_N1T = (hidden_NTD != 0).any(dim=2)[:, None]
        hidden_NDT = hidden_NTD.transpose(1, 2)
        for layer in self.layers:
            hidden_NDT = layer(hidden_NDT) * own_N1T
        return hidden_NDT.transpose(1, 2)


def standardised(waveform: Tensor, lengths: Tensor) -> Tensor:
    """Bring each clip to mean 0 and deviation 1 over its own samples, as Wav2Vec2FeatureExtractor does.

    Args:
        waveform: float32 of shape (N, L), zeros after the clip's end.
        lengths: int64 of shape (N,).
    """
    own_NL = own_mask(lengths, waveform.shape[1])
    n_N1 = lengths.clamp(min=1)[:, None]
    centred = (waveform - waveform.sum(1, keepdim=True) / n_N1) * own_NL
    variance_N1 = centred.square().sum(1, keepdim=True) / n_N1
    return centred / torch.sqrt(variance_N1 + 1e-7)


def norm_over_own_frames(norm: nn.GroupNorm, hidden_NCT: Tensor, own_N: Tensor) -> Tensor:
    """Normalise each channel over a clip's own frames (GroupNorm with one channel per group).

    Args:
        norm: the layer, for its scale, shift and epsilon.
        hidden_NCT: of shape (N, C, T).
        own_N: int64 number of own frames of each clip.
    """
    own_N1T = own_mask(own_N, hidden_NCT.shape[2])[:, None].to(hidden_NCT.dtype)
    n_N11 = own_N1T.sum(2, keepdim=True)
    mean = (hidden_NCT * own_N1T).sum(2, keepdim=True) / n_N11
    variance = ((hidden_NCT - mean).square() * own_N1T).sum(2, keepdim=True) / n_N11
    scale = norm.weight[None, :, None] * torch.rsqrt(variance + norm.eps)
    return torch.addcmul(norm.bias[None, :, None] - mean * scale, hidden_NCT, scale)
