"""Attention over short texts on a CPU, for gradients: by plain products.

The backward of PyTorch's fused attention is made for long sequences and is slow for a few tokens; and plain
products can use the faster dropout. Beyond some length the fused attention is faster.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from headstart.tune.speedups.dropout import drop

SHORT = 64  # tokens
_FUSED, _SHORT_PLAIN = "sdpa", "headstart_short_plain"


def quicken_attention(network: nn.Module) -> None:
    """Let the transformers models in a network compute attention of short texts by plain products, in place.

    Args:
        network: on a CPU; models whose attention is not PyTorch's are not changed.
    """
    configs = [module.config for module in network.modules() if hasattr(module, "config")]
    fused: list[Any] = [c for c in configs if getattr(c, "_attn_implementation", None) == _FUSED]
    if not fused:
        return
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(_SHORT_PLAIN, attend)
    AttentionMaskInterface.register(_SHORT_PLAIN, sdpa_mask)
    for config in fused:
        config._attn_implementation = _SHORT_PLAIN


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers calls it; long texts, other masks and passes without gradients go to its own.

    Args:
        module: whose attention it is.
        query, key, value: of shape (N, heads, T, D).
        attention_mask: true where a token may be seen, of shape (N, 1 or heads, T, T).
        dropout: share of the weights that are dropped.
        scaling: of the products; None: 1 / sqrt(D).
        options: the other arguments that transformers passes.

    Returns:
        Of shape (N, T, heads, D), and None in place of the weights.
    """
    if not _is_short(module, query, key, attention_mask, options):
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        out, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **options
        )
        return out, None
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    weights = (query * scale) @ key.transpose(-2, -1)
    if attention_mask is not None:
        weights = weights.masked_fill(~attention_mask, torch.finfo(weights.dtype).min)
    weights = weights.softmax(-1)
    if dropout:
        weights = drop(weights, dropout)
    return (weights @ value).transpose(1, 2).contiguous(), None


def _is_short(
    module: nn.Module, query: Tensor, key: Tensor, attention_mask: Tensor | None, options: dict[str, Any]
) -> bool:
    """Whether `attend` computes this itself: everything that its plain products know."""
    causal = options.get("is_causal")
    if causal is None:
        causal = getattr(module, "is_causal", True)
    masked = attention_mask is not None and attention_mask.dtype == torch.bool
    return (
        torch.is_grad_enabled()
        and query.device.type == "cpu"
        and query.shape == key.shape
        and query.shape[2] <= SHORT
        and (masked or (attention_mask is None and not causal))
        and all(options.get(name) is None for name in ("position_bias", "softcap"))
    )
