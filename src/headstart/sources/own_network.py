"""The user's own module with the inputs and the output that every source's network has.

Its `forward` takes normalised pixels, token ids (and mask), or a mono waveform (and the clips' lengths), its
front end inside.

Legend: N items, H height, W width, T tokens or frames, L samples, D features.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from headstart.data.examples import Modality
from headstart.sources.frames import mean_over_frames


class OwnNetwork(nn.Module):
    """The user's own module with the inputs and the output that every source's network has.

    Args:
        model: the user's own module.
        modality: which inputs it takes.
    """

    def __init__(self, model: nn.Module, modality: Modality) -> None:
        super().__init__()
        self.model = model
        self.modality = modality
        parameters = inspect.signature(model.forward).parameters.values()
        if hasattr(model, "own_positions"):
            self.own_positions = model.own_positions
        self.takes_two = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters) > 1

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the embedding, of shape (N, D)."""
        output: Any = self.model(first, second) if self.takes_two else self.model(first)
        return as_embedding(output, self.modality, second, first.shape[1])


class OwnImageNetwork(OwnNetwork):
    """The user's own module on pixels."""

    def forward(self, pixels: Tensor) -> Tensor:  # type: ignore[override]
        """Return the embedding, of shape (N, D), of normalised pixels of shape (N, 3, H, W)."""
        return as_embedding(self.model(pixels), "image", None, 0)


class OwnTextNetwork(OwnNetwork):
    """The user's own module on tokens."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the embedding, of shape (N, D), of int64 tokens and mask of shape (N, T)."""
        return super().forward(input_ids, attention_mask)


class OwnAudioNetwork(OwnNetwork):
    """The user's own module on waveforms."""

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """Return the embedding, of shape (N, D), of waveforms (N, L), of each clip's own `lengths` samples."""
        return super().forward(waveform, lengths)


OWN_NETWORKS: Mapping[Modality, type[OwnNetwork]] = {
    "image": OwnImageNetwork,
    "text": OwnTextNetwork,
    "audio": OwnAudioNetwork,
}


def as_embedding(output: Any, modality: Modality, own: Tensor | None, n_samples: int) -> Tensor:
    """Return one vector per item from a module's output: maps and sequences are averaged.

    Args:
        output: a tensor of shape (N, D), (N, C, H, W) or (N, T, D), or a tuple or mapping beginning with one.
        modality: decides which positions are an item's own.
        own: attention mask (text) or lengths (audio); None: none is known.
        n_samples: samples of the window (audio).
    """
    while not isinstance(output, Tensor):
        output = next(iter(output.values())) if isinstance(output, Mapping) else output[0]
    if output.dim() == 4:
        return output.mean((2, 3))
    if output.dim() == 3 and own is not None:
        n_frames = output.shape[1]
        n_own = own.sum(1) if modality == "text" else -(-n_frames * own // n_samples)
        return mean_over_frames(output, n_own.clamp(min=1))
    return output.mean(1) if output.dim() == 3 else output


def named_stages(network: OwnNetwork) -> dict[str, str]:
    """Return the stages that the user's own module names, with their paths in the network; {} if it names none."""
    named: Any = getattr(network.model, "stages", None)
    if callable(named):
        named = named()
    if not named or isinstance(named, nn.Module):
        return {}
    pairs = named.items() if isinstance(named, Mapping) else ((name, name) for name in named)
    return {str(name): f"model.{path}" for name, path in pairs}
