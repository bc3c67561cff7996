"""Means over the own frames of clips that were padded to one length.

Legend: N clips, T frames, D features.
"""

from __future__ import annotations

import torch
from torch import Tensor


def mean_over_frames(hidden_NTD: Tensor, n_own_N: Tensor) -> Tensor:
    """Return the mean of shape (N, D) over each clip's own leading frames.

    Args:
        hidden_NTD: hidden states of shape (N, T, D).
        n_own_N: int64 number of own frames of each clip, at least 1.
    """
    mask_NT1 = own_mask(n_own_N, hidden_NTD.shape[1]).unsqueeze(-1).to(hidden_NTD.dtype)
    return (hidden_NTD * mask_NT1).sum(1) / mask_NT1.sum(1).clamp(min=1)


def own_mask(n_own_N: Tensor, n_frames: int) -> Tensor:
    """Return a boolean mask of shape (N, T), true on each clip's own leading frames."""
    return torch.arange(n_frames, device=n_own_N.device)[None, :] < n_own_N[:, None]
