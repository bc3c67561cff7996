"""Copies of the bundled letters with other weights."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from headstart.sources.local import BUNDLED


def half(tensor: torch.Tensor) -> torch.Tensor:
    """A weight in half precision."""
    return tensor.half()


def shuffled(tensor: torch.Tensor) -> torch.Tensor:
    """The same numbers in another order: what the network has learned is lost."""
    order = torch.randperm(tensor.numel(), generator=torch.Generator().manual_seed(0))
    return tensor.flatten()[order].view_as(tensor)


def changed(folder: Path, change: Callable[[torch.Tensor], torch.Tensor]) -> str:
    """A copy of the bundled letters with other weights."""
    shutil.copytree(BUNDLED / "letters", folder)
    file = folder / "model.safetensors"
    tensors = {
        name: change(tensor) if tensor.is_floating_point() else tensor
        for name, tensor in load_file(file).items()
    }
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)
    return str(folder)


def blank(tensor: torch.Tensor) -> torch.Tensor:
    """Zeros: every item gets the same features."""
    return torch.zeros_like(tensor)
