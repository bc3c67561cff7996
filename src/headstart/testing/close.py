"""Comparisons that say by how much they fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def require(holds: bool, message: str) -> None:
    """Raise an AssertionError with a message unless something holds."""
    if not holds:
        raise AssertionError(message)


def require_close(got: Any, expected: Any, tolerance: float, what: str) -> None:
    """Compare two arrays or tensors.

    Args:
        got: what was computed.
        expected: what it should be.
        tolerance: largest difference, relative to the largest expected value if that is above 1.
        what: what is compared, for the message.

    Raises:
        AssertionError: shapes differ, a value is not finite, or a difference is too large.
    """
    got, expected = _array(got), _array(expected)
    require(got.shape == expected.shape, f"{what}: shape {got.shape}, expected {expected.shape}")
    require(bool(np.isfinite(got).all()), f"{what}: some values are not finite")
    if not expected.size:
        return
    largest = max(1.0, float(np.abs(expected).max()))
    difference = float(np.abs(got - expected).max())
    require(
        difference <= tolerance * largest,
        f"{what}: differs by {difference:.3g}, allowed are {tolerance * largest:.3g}",
    )


def require_same_bits(got: Mapping[str, Tensor], expected: Mapping[str, Tensor], what: str) -> None:
    """Compare tensors by name, bit for bit.

    Raises:
        AssertionError: naming the first tensor that differs, and by how much.
    """
    wrong = sorted(set(got) ^ set(expected))
    require(not wrong, f"{what}: the names of the tensors differ, {wrong[:1]} among them")
    for name, tensor in expected.items():
        if not torch.equal(got[name], tensor):
            same_shape = got[name].shape == tensor.shape
            by = float((got[name].double() - tensor.double()).abs().max()) if same_shape else float("inf")
            raise AssertionError(f"{what}: '{name}' differs by {by:.3g}")


def _array(values: Any) -> np.ndarray:
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)
