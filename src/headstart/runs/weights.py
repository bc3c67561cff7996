"""model.safetensors: tensors by name, float32, written whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from headstart.files import atomic_path


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors to a safetensors file.

    Args:
        path: the file.
        tensors: name to tensor; floating point of any precision becomes float32.

    Raises:
        DiskFullError: no room is left.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    # Tied and sliced tensors share memory, which the format refuses: each is copied on its own.
    plain = {name: _plain(tensor) for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        try:
            save_file(plain, temporary, metadata={"format": "pt"})
        except SafetensorError as error:  # safetensors passes a system error on as text only
            number = re.search(r"os error (\d+)", str(error))
            if number is None:
                raise
            raise OSError(int(number[1]), os.strerror(int(number[1]))) from None


def _plain(tensor: Tensor) -> Tensor:
    dtype = torch.float32 if tensor.is_floating_point() else tensor.dtype
    return tensor.detach().to("cpu", dtype, copy=True).contiguous()
