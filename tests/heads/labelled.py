"""Features with three labels that depend on them, and class indicators, for several tests."""

from __future__ import annotations

import numpy as np


def labelled(n_items: int = 150, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, 6) and three labels that depend on them, one rare."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_items, 6)).astype(np.float32)
    y = (x[:, :3] + 0.7 * rng.normal(size=(n_items, 3)) > [0.0, 0.5, 1.5]).astype(np.float32)
    return x, y


def indicators(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """(N, C) float64 with 1 where the item has the class."""
    return np.eye(n_classes)[labels]
