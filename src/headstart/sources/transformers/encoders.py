"""Encoders of images and texts around a model of transformers: named inputs in, the source's own embedding out.

A network holds the library's module as `model`, so its tensors are named `model.` + the library's name.

Legend: N items, H height, W width, T tokens, D features.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class HubImageNetwork(nn.Module):
    """A vision model of transformers, pooled by its class's own convention.

    That is its pooler if the checkpoint has one, else the class token, else the mean over positions.

    Args:
        model: a model of transformers that takes `pixel_values`.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.has_class_token = any(name.endswith("cls_token") for name, _ in model.named_parameters())

    def library_inputs(self, pixels: Tensor) -> dict[str, Tensor]:
        """Return the inputs of the library's own class."""
        return {"pixel_values": pixels}

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the embedding, float32 of shape (N, D), of normalised pixels of shape (N, 3, H, W)."""
        output: Any = self.model(**self.library_inputs(pixels))
        pooled: Tensor | None = getattr(output, "pooler_output", None)
        if pooled is not None:
            return pooled.flatten(1)
        hidden: Tensor = output[0]
        if hidden.dim() == 4:
            return hidden.mean((2, 3))
        return hidden[:, 0] if self.has_class_token else hidden.mean(1)


class TextNetwork(nn.Module):
    """A text encoder with the pooling and normalisation of its own folder.

    Args:
        model: an encoder of transformers that takes `input_ids` and `attention_mask`.
        pooling: modes to concatenate, of "mean", "cls", "max", "lasttoken" and "mean_sqrt_len".
        normalise: divide the embedding by its length.
        dense: layers after the pooling (sentence-transformers' Dense modules), or None.
    """

    def __init__(
        self, model: nn.Module, pooling: tuple[str, ...], normalise: bool, dense: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.model = model
        self.pooling = pooling
        self.normalise = normalise
        self.dense = dense

    def library_inputs(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        """Return the inputs of the library's own class."""
        return {"input_ids": input_ids, "attention_mask": attention_mask}

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the embedding, float32 of shape (N, D), of int64 tokens and mask of shape (N, T)."""
        output: Any = self.model(**self.library_inputs(input_ids, attention_mask))
        hidden: Tensor = output[0]
        pooled = torch.cat([pool_tokens(hidden, attention_mask, mode) for mode in self.pooling], dim=1)
        if self.dense is not None:
            pooled = self.dense(pooled)
        return F.normalize(pooled, dim=1) if self.normalise else pooled


def pool_tokens(hidden_NTD: Tensor, mask_NT: Tensor, mode: str) -> Tensor:
    """Return one vector per text, of shape (N, D), from its own tokens (as sentence-transformers' Pooling).

    Args:
        hidden_NTD: last hidden states of shape (N, T, D).
        mask_NT: 1 for the text's own tokens, 0 for padding.
        mode: "mean", "cls", "max", "lasttoken" or "mean_sqrt_len".
    """
    mask_NT1 = mask_NT.unsqueeze(-1).to(hidden_NTD.dtype)
    if mode == "cls":
        first = mask_NT.argmax(1)  # the first own token, whichever side is padded
        return hidden_NTD[torch.arange(len(hidden_NTD), device=hidden_NTD.device), first]
    if mode == "lasttoken":
        n_tokens = hidden_NTD.shape[1]
        last = n_tokens - 1 - mask_NT.flip(1).argmax(1)
        return hidden_NTD[torch.arange(len(hidden_NTD), device=hidden_NTD.device), last]
    if mode == "max":
        return hidden_NTD.masked_fill(mask_NT1 == 0, -1e9).amax(1)
    total = (hidden_NTD * mask_NT1).sum(1)
    count = mask_NT1.sum(1).clamp(min=1e-9)
    return total / (count.sqrt() if mode == "mean_sqrt_len" else count)
