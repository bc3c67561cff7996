"""A small made-up input for a network, derived from the names of its forward's arguments and its configuration."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from headstart.backbone._calls import Inputs


def made_up_inputs(network: nn.Module) -> Inputs | None:
    """Return two items in the form that a network probably takes; None if it cannot be derived.

    Args:
        network: of images, texts or recordings.
    """
    names = list(inspect.signature(network.forward).parameters)
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    if "input_ids" in names:
        tokens = {
            "input_ids": torch.arange(5, 13).repeat(2, 1),
            "attention_mask": torch.ones(2, 8, dtype=torch.long),
        }
        return {name: value.to(device) for name, value in tokens.items() if name in names}
    if "lengths" in names:
        lengths = torch.tensor([16000, 12000], device=device)
        return {names[0]: _noise(device, 2, 16000), "lengths": lengths}
    if "input_values" in names or "input_features" in names:
        return _spectra(network, names, device)
    first = next((m for m in network.modules() if isinstance(m, nn.Conv2d)), None)
    return None if first is None else _noise(device, 2, first.in_channels, *_size(network))


def _noise(device: torch.device, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device)


def _spectra(network: nn.Module, names: list[str], device: torch.device) -> Inputs:
    """Waveforms, or spectra of the size in a configuration of transformers."""
    config: Any = getattr(network, "config", None)
    n_bands, n_positions = (
        getattr(config, "num_mel_bins", None),
        getattr(config, "max_source_positions", None),
    )
    if n_bands and n_positions:
        return _noise(device, 2, n_bands, 2 * n_positions)
    if n_bands and hasattr(config, "max_length"):
        return _noise(device, 2, config.max_length, n_bands)
    return {"input_values" if "input_values" in names else "input_features": _noise(device, 2, 16000)}


def _size(network: nn.Module) -> tuple[int, int]:
    for module in network.modules():
        for part in (module, getattr(module, "patch_embed", None)):
            fixed = getattr(part, "img_size", None)
            if isinstance(fixed, tuple) and len(fixed) == 2:
                return fixed
        config = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None)
        if config and config.get("input_size"):
            return int(config["input_size"][1]), int(config["input_size"][2])
        size = getattr(getattr(module, "config", None), "image_size", None)
        if isinstance(size, int):
            return size, size
    return 224, 224
